//! Wrapper mode: cargo calls us in place of rustc, and we call rustc with what tracing needs.
//!
//! Every crate of the workspace gets frame pointers, line tables and unhashed symbols; every test
//! binary gets our harness under the name of libtest. Build scripts, proc macros and calls that
//! only ask pass as they are, and so does every call that is not cargo's own or not for our target
//! directory: tests run cargo too.

mod executable;
mod flags;
mod interposition;
mod rustc_call;
pub mod rustdoc;
mod weaken;

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use camino::Utf8PathBuf;
use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::inject::{Runtime, Runtimes};
use crate::private_env;
use crate::process::Process;
use crate::session::SessionDir;
use executable::Entry;
use rustc_call::RustcCall;

/// What the command tells the wrapper, in the file that [`private_env::WRAPPER`] names.
#[derive(Debug, Serialize, Deserialize)]
pub struct Config {
    /// Only what is built below it is ours.
    pub target_dir: Utf8PathBuf,
    /// The user's own `RUSTC_WRAPPER`.
    pub inner_wrapper: Option<Utf8PathBuf>,
    /// The triple of calls without `--target`.
    pub host: String,
    /// What is injected.
    pub runtimes: Runtimes,
    /// The rustdoc that cargo would call.
    pub rustdoc: Utf8PathBuf,
    /// Where counts of doctests go.
    pub doctests: Utf8PathBuf,
    /// Created when a crate does not compile.
    pub failure_mark: Utf8PathBuf,
}

impl Config {
    /// For the programs that this session builds.
    pub fn new(context: &Context, session: &SessionDir, runtimes: &Runtimes) -> Self {
        Self {
            target_dir: context.target_dir.clone(),
            inner_wrapper: context.inner_wrapper.clone(),
            host: context.rustc.host.clone(),
            runtimes: runtimes.clone(),
            rustdoc: context.rustdoc.clone(),
            doctests: session.doctests(),
            failure_mark: session.failure_mark(),
        }
    }

    /// What is injected into what this call compiles.
    fn runtime(&self, rustc_call: &RustcCall) -> Option<&Runtime> {
        self.runtimes.by_triple.get(rustc_call.target.as_ref().unwrap_or(&self.host))
    }
}

/// One call by cargo, or by a build script.
#[derive(Debug)]
pub struct Call {
    config: OsString,
    /// The program, and behind a `RUSTC_WORKSPACE_WRAPPER` the rustc that it is to call.
    rustc: Vec<OsString>,
    args: Vec<OsString>,
    /// It is rustdoc that was called.
    is_rustdoc: bool,
}

impl Call {
    /// This process's arguments, when they are a call of rustc: no subcommand of ours looks like a
    /// path or is called `rustc`.
    pub fn from_env() -> Option<Self> {
        let config = env::var_os(private_env::WRAPPER)?;
        if rustdoc::is_called(env::args_os().next()) {
            return Some(Self {
                config,
                rustc: Vec::new(),
                args: env::args_os().skip(1).collect(),
                is_rustdoc: true,
            });
        }
        Self::parse(config, env::args_os().skip(1))
    }

    fn parse(config: OsString, args: impl Iterator<Item = OsString>) -> Option<Self> {
        let mut args = args.peekable();
        let mut rustc = vec![args.next().filter(|arg| is_program(arg))?];
        rustc.extend(args.next_if(|arg| is_rustc(Path::new(arg))));
        Some(Self { config, rustc, args: args.collect(), is_rustdoc: false })
    }
}

fn is_program(arg: &OsStr) -> bool {
    let path = Path::new(arg);
    path.components().count() > 1 || is_rustc(path)
}

fn is_rustc(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem == "rustc" || stem == "clippy-driver")
}

/// Calls rustc, and exits as it does.
pub fn run(call: &Call) -> Result<ExitCode> {
    let path = Path::new(&call.config);
    let json = fs::read(path).context(
        "failed to read what `cargo tracemalloc` left for its rustc wrapper; after `cargo clean`, `cargo tracemalloc \
         show-env` has to be called again",
    )?;
    let config: Config = serde_json::from_slice(&json)
        .with_context(|| format!("failed to parse `{}`", path.display()))?;

    if call.is_rustdoc {
        return rustdoc::run(&config, &call.args);
    }
    let rustc_call = RustcCall::parse(&call.args);
    if !rustc_call.compiles_below(&config.target_dir) {
        return Ok(exit_code(rustc(&config, call).args(&call.args).status()?.code()));
    }
    let runtime = config.runtime(&rustc_call);
    let symbols = runtime
        .and_then(|runtime| runtime.interposed.as_ref())
        .map(|interposed| &interposed.symbols);
    let args = flags::with_tracing(&call.args, &rustc_call, symbols);
    let programs = env::var(private_env::PROGRAMS).ok();
    let code = match Entry::of(&rustc_call, programs.is_some()) {
        Some(entry) => executable::compile(&config, call, &rustc_call, entry, &args)?,
        None => rustc(&config, call).args(args).status()?.code(),
    };
    if code == Some(0) {
        if let Some((library, symbols)) =
            rustc_call.library().filter(|path| path.exists()).zip(symbols)
        {
            weaken::library(&library, symbols)?;
        }
        if rustc_call.is_test || rustc_call.has_cfg_test {
            executable::depend_on(
                &rustc_call,
                private_env::RUNTIME,
                Some(&config.runtimes.identity),
            )?;
        } else if rustc_call.is_bin {
            // Tests start binaries as they are.
            executable::depend_on(&rustc_call, private_env::PROGRAMS, programs.as_deref())?;
        }
    }
    if code != Some(0) {
        fs::write(&config.failure_mark, rustc_call.crate_name.as_deref().unwrap_or_default())?;
    }
    Ok(exit_code(code))
}

/// A call of rustc, through the user's wrapper if there is one, without arguments yet.
fn rustc(config: &Config, call: &Call) -> Process {
    let mut programs = config
        .inner_wrapper
        .iter()
        .map(|wrapper| wrapper.as_os_str())
        .chain(call.rustc.iter().map(AsRef::as_ref));
    let mut process = Process::new(programs.next().unwrap_or(OsStr::new("rustc")));
    process.args(programs);
    process
}

fn exit_code(code: Option<i32>) -> ExitCode {
    code.and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::Call;

    fn parse(line: &str) -> Option<(Vec<OsString>, usize)> {
        let call = Call::parse(OsString::new(), line.split(' ').map(OsString::from))?;
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
}
