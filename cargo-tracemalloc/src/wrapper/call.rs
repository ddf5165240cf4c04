//! One call of the wrapper, from cargo or from a build script.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::util::private_env;
use crate::util::process::Process;
use crate::wrapper::config::Config;

/// The name of the link to this program that cargo calls as rustdoc.
pub const RUSTDOC_NAME: &str = "rustdoc";

/// A call of rustc or rustdoc.
#[derive(Debug)]
pub struct Call {
    /// The file with the [`Config`].
    pub config: OsString,
    /// The program. With a `RUSTC_WORKSPACE_WRAPPER`, also the rustc that it calls.
    rustc: Vec<OsString>,
    /// The arguments for rustc.
    pub args: Vec<OsString>,
    /// Whether this program was called as `RUSTC_WORKSPACE_WRAPPER` too.
    is_of_workspace: bool,
    /// Whether cargo called rustdoc.
    pub is_rustdoc: bool,
}

impl Call {
    /// The arguments of this process, if they are a call of rustc. No subcommand looks like a path
    /// or is named `rustc`.
    pub fn from_env() -> Option<Self> {
        let config = env::var_os(private_env::WRAPPER)?;
        if is_rustdoc(env::args_os().next()) {
            return Some(Self {
                config,
                rustc: Vec::new(),
                args: env::args_os().skip(1).collect(),
                is_of_workspace: false,
                is_rustdoc: true,
            });
        }
        Self::parse(config, env::args_os().skip(1), env::current_exe().ok())
    }

    fn parse(
        config: OsString,
        args: impl Iterator<Item = OsString>,
        this: Option<PathBuf>,
    ) -> Option<Self> {
        let mut args = args.peekable();
        let this = this.map(PathBuf::into_os_string);
        let is_of_workspace = args.next_if(|arg| Some(arg) == this.as_ref()).is_some();
        let mut rustc = vec![args.next().filter(|arg| is_program(arg))?];
        rustc.extend(args.next_if(|arg| is_rustc(Path::new(arg))));
        Some(Self { config, rustc, args: args.collect(), is_of_workspace, is_rustdoc: false })
    }
}

/// Whether this process was called as rustdoc.
fn is_rustdoc(program: Option<OsString>) -> bool {
    let is_name = |stem: &OsStr| stem == RUSTDOC_NAME;
    program.is_some_and(|program| Path::new(&program).file_stem().is_some_and(is_name))
}

fn is_program(arg: &OsStr) -> bool {
    let path = Path::new(arg);
    path.components().count() > 1 || is_rustc(path)
}

fn is_rustc(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem == "rustc" || stem == "clippy-driver")
}

/// A call of rustc without arguments, through the user's own wrapper if there is one. Without a
/// `config`, exactly as cargo called it.
pub fn rustc(config: Option<&Config>, call: &Call) -> Process {
    let programs = call.rustc.iter().map(|program| match config {
        Some(config) if program == "rustc" => config.rustc.as_os_str(),
        _ => program.as_os_str(),
    });
    let of_workspace = config.filter(|_| call.is_of_workspace);
    let wrappers = [
        config.and_then(|config| config.inner_wrapper.as_ref()),
        of_workspace.and_then(|config| config.workspace_wrapper.as_ref()),
    ];
    let wrappers = wrappers.into_iter().flatten().map(|wrapper| wrapper.as_os_str());
    let mut programs = wrappers.chain(programs);
    let mut process = Process::new(programs.next().unwrap_or(OsStr::new("rustc")));
    process.args(programs);
    process
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::Call;

    fn parse(line: &str) -> Option<(Vec<OsString>, usize)> {
        let args = line.split(' ').map(OsString::from);
        let call = Call::parse(OsString::new(), args, Some("/this program".into()))?;
        Some((call.rustc, call.args.len()))
    }

    #[test]
    fn a_workspace_wrapper_is_called_with_the_rustc_that_follows_it() {
        let programs = |names: &[&str]| names.iter().map(OsString::from).collect::<Vec<_>>();
        assert_eq!(parse("/bin/rustc --crate-name a"), Some((programs(&["/bin/rustc"]), 2)));
        assert_eq!(parse("rustc -vV"), Some((programs(&["rustc"]), 1)));
        assert_eq!(
            parse("/x/wrap.sh /bin/rustc -vV"),
            Some((programs(&["/x/wrap.sh", "/bin/rustc"]), 1))
        );
        assert_eq!(parse("/bin/rustc src/lib.rs"), Some((programs(&["/bin/rustc"]), 1)));
        assert_eq!(parse("test --lib"), None);
    }

    #[test]
    fn this_program_as_workspace_wrapper_is_no_program_to_call() {
        let args = ["/this program", "/bin/rustc", "-vV"].map(OsString::from);
        let this = Some("/this program".into());
        let call = Call::parse(OsString::new(), args.into_iter(), this).unwrap();
        assert!(call.is_of_workspace && call.rustc == ["/bin/rustc"]);
    }
}
