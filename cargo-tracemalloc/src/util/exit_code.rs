//! All exit codes. `docs/report.md`, `docs/snapshot.md` and `--help` repeat this list.

use std::fmt;
use std::process;

/// A shell adds this to the number of the signal that ended a process.
pub const ENDED_BY_SIGNAL: i32 = 128;

/// The exit codes of the command. If several apply, the first of `CouldNotRun`, `TestFailed` and
/// `Leak` wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Every test passed and none leaked, or `--no-fail` was given. The output was printed.
    Clean,
    /// The command line or an argument's value was wrong. Nothing was built.
    Usage,
    /// A test failed. The code is the same as cargo's.
    TestFailed,
    /// Every test passed, but some leak or have a verdict that `--deny` names.
    Leak,
    /// The tests could not be built or run. A report or a snapshot could not be read or
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

/// An error of the command line. All other errors are [`ExitCode::CouldNotRun`].
#[derive(Debug)]
pub struct UsageError(pub String);

impl fmt::Display for UsageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// The exit code for an error.
pub fn of_error(error: &anyhow::Error) -> ExitCode {
    if error.is::<UsageError>() { ExitCode::Usage } else { ExitCode::CouldNotRun }
}

/// The exit code of a child, for this process to exit with. After a signal it is 1.
pub fn of_child(code: Option<i32>) -> process::ExitCode {
    code.and_then(|code| u8::try_from(code).ok())
        .map_or(process::ExitCode::FAILURE, process::ExitCode::from)
}
