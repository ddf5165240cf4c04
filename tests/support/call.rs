//! One call of a program, without the environment of this test run's own start, and its output.

use std::env;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A program with its arguments, to be run once.
pub struct Call {
    command: Command,
}

/// How a call ended.
pub struct Output {
    /// The exit code; a signal is none.
    pub code: Option<i32>,
    /// Its output to stdout.
    pub stdout: String,
    /// Its output to stderr.
    pub stderr: String,
    /// How long it took.
    pub duration: Duration,
}

impl Call {
    /// The command under test: `cargo tracemalloc test`.
    pub fn tracemalloc() -> Self {
        Call::subcommand("test")
    }

    /// Another command of `cargo tracemalloc`.
    pub fn subcommand(name: &str) -> Self {
        let mut call = Call::program(env!("CARGO_BIN_EXE_cargo-tracemalloc"));
        // All tests share one, so that the runtime is built once for all of them.
        let cache_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
        call.command.env("TRACEMALLOC_CACHE_DIR", cache_dir);
        call.arg(name)
    }

    /// `cargo test`, to compare with.
    pub fn cargo_test() -> Self {
        Call::program("cargo").arg("test")
    }

    /// Any other program.
    pub fn program(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        for (name, _) in env::vars_os() {
            if is_ours(&name.to_string_lossy()) {
                command.env_remove(name);
            }
        }
        // A call must never change the toolchains of the machine.
        command.env("RUSTUP_AUTO_INSTALL", "0");
        Call { command }
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Adds arguments, separated by spaces.
    pub fn args(mut self, line: &str) -> Self {
        self.command.args(line.split_whitespace());
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Unsets an environment variable.
    pub fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Runs in this directory.
    pub fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Wraps it in a shell's script, in which `"$@"` is the call.
    pub fn in_shell(self, script: &str) -> Self {
        let mut command = Command::new("sh");
        command
            .args(["-c", script, "sh"])
            .arg(self.command.get_program())
            .args(self.command.get_args());
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(dir) = self.command.get_current_dir() {
            command.current_dir(dir);
        }
        Call { command }
    }

    /// Starts, with pipes to and from it.
    pub fn spawn(mut self) -> Child {
        println!("{:?}", self.command);
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        heed_signals(&mut self.command);
        self.command.spawn().unwrap_or_else(|error| panic!("{:?}: {error}", self.command))
    }

    /// Runs. The call and its output are shown if the test fails.
    pub fn run(mut self) -> Output {
        println!("{:?}", self.command);
        let start = Instant::now();
        let output =
            self.command.output().unwrap_or_else(|error| panic!("{:?}: {error}", self.command));
        let output = Output {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
            duration: start.elapsed(),
        };
        println!("{}\n{}", output.stdout, output.stderr);
        println!(
            "-> {} after {:.1?}",
            output.code.map_or(String::from("a signal"), |code| code.to_string()),
            output.duration
        );
        output
    }
}

impl Output {
    /// Checks the exit code.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "exit code");
        self
    }

    /// Whether cargo compiled something.
    pub fn compiled(&self) -> bool {
        self.stderr.lines().any(|line| line.trim_start().starts_with("Compiling "))
    }
}

/// Gives signals their default effect, which a test run in the background or under `nohup` ignores.
/// A test that sends such a signal would wait for ever.
#[cfg(unix)]
fn heed_signals(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;

    use nix::sys::signal::{SigHandler, Signal, signal};

    let heed = || {
        for ignored in [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT] {
            // SAFETY: the default disposition runs no code.
            unsafe { signal(ignored, SigHandler::SigDfl) }?;
        }
        Ok(())
    };
    // SAFETY: between `fork` and `exec` the closure makes system calls only.
    unsafe { command.pre_exec(heed) };
}

/// Whether a variable comes from the cargo that started the tests, from us, or from a person's
/// habits.
fn is_ours(name: &str) -> bool {
    let kept = ["CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];
    let ours = ["CARGO", "RUST", "TRACEMALLOC_", "INSTA_", "PLANTED_", "GITHUB_"];
    !kept.contains(&name) && ours.iter().any(|prefix| name.starts_with(prefix))
}
