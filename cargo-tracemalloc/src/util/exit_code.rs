//! Exit codes, all of them. `docs/report.md`, `docs/snapshot.md` and `--help` repeat this list.

use std::fmt;
use std::process;

/// What the command exits with. When several hold, the first of `CouldNotRun`, `TestFailed`, `Leak`
/// wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Every test passed and none leaked (or `--no-fail` was given). What a snapshot holds was
    /// printed.
    Clean,
    /// The command line was wrong, or an argument's value was. Nothing was built.
    Usage,
    /// A test failed, as a test. The same code as cargo's.
    TestFailed,
    /// Every test passed, and some leak (or came to a verdict that `--deny` names).
    Leak,
    /// The tests could not be built, or not be run. A snapshot could not be read, or not be
    /// printed.
    CouldNotRun,
}

impl From<ExitCode> for u8 {
    fn from(code: ExitCode) -> u8 {
        match code {
            ExitCode::Clean => 0,
            ExitCode::Usage => 2,
            ExitCode::TestFailed => 101,
            ExitCode::Leak => 102,
            ExitCode::CouldNotRun => 103,
        }
    }
}

impl From<ExitCode> for process::ExitCode {
    fn from(code: ExitCode) -> process::ExitCode {
        process::ExitCode::from(u8::from(code))
    }
}

/// An error that the command line is to blame for. Any other error is [`ExitCode::CouldNotRun`].
#[derive(Debug)]
pub struct UsageError(pub String);

impl fmt::Display for UsageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// The exit code that goes with an error.
pub fn of_error(error: &anyhow::Error) -> ExitCode {
    if error.is::<UsageError>() { ExitCode::Usage } else { ExitCode::CouldNotRun }
}

/// The exit code of a child, for this process to end with. A signal has none.
pub fn of_child(code: Option<i32>) -> process::ExitCode {
    code.and_then(|code| u8::try_from(code).ok())
        .map_or(process::ExitCode::FAILURE, process::ExitCode::from)
}
