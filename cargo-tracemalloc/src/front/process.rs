//! A child process: its output, its time limit, and its end.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

/// The output of a child.
///
/// A file and not a pipe: it keeps the output of threads, C code and further processes in order. A
/// process that outlives the test does not delay the front.
#[derive(Debug)]
pub struct Output {
    captured: Option<(File, PathBuf)>,
}

/// The end of a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It exited with this code.
    Code(i32),
    /// A signal ended it. The flag tells whether it dumped core.
    Signal(i32, bool),
    /// The front killed it after this time.
    TimedOut(Duration),
}

impl Output {
    /// Captures the output in a file.
    pub fn captured(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).append(true).create_new(true).open(path)?;
        Ok(Self { captured: Some((file, path.to_owned())) })
    }

    /// Lets the child write to the front's own output.
    pub fn inherited() -> Self {
        Self { captured: None }
    }

    /// Removes the file's name, for the next attempt at the test. The text can still be read.
    pub fn unlink(&self) {
        if let Some((_, path)) = &self.captured {
            // The whole directory is removed in the end.
            let _ = std::fs::remove_file(path);
        }
    }

    /// The captured output. Invalid UTF-8 is replaced.
    pub fn text(self) -> String {
        let Some((mut file, _)) = self.captured else { return String::new() };
        let mut bytes = Vec::new();
        let read = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
        match read {
            Ok(_) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => format!("(the test's output cannot be read: {error})\n"),
        }
    }
}

/// The time limits of a child.
pub struct Timeout<'a> {
    /// For the first run of its test.
    pub first_run: Duration,
    /// For all runs and searches together.
    pub all_runs: Duration,
    /// Whether the first run is over.
    pub first_is_over: &'a dyn Fn() -> bool,
}

/// Runs a child to its end.
pub fn run(
    mut command: Command,
    output: &mut Output,
    timeout: Option<Timeout<'_>>,
) -> io::Result<Ended> {
    if let Some((file, _)) = &output.captured {
        command.stdout(file.try_clone()?).stderr(file.try_clone()?);
    }
    let mut child = command.spawn()?;
    match timeout {
        None => Ok(Ended::from(child.wait()?)),
        Some(timeout) => wait_at_most(&mut child, &timeout),
    }
}

fn wait_at_most(child: &mut Child, timeout: &Timeout<'_>) -> io::Result<Ended> {
    let started = Instant::now();
    let mut most = timeout.first_run;
    let mut pause = Duration::from_micros(500);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Ended::from(status));
        }
        let Some(left) = most.checked_sub(started.elapsed()) else {
            if most < timeout.all_runs && (timeout.first_is_over)() {
                most = timeout.all_runs;
                continue;
            }
            child.kill()?;
            child.wait()?;
            return Ok(Ended::TimedOut(timeout.first_run));
        };
        std::thread::sleep(pause.min(left));
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

impl From<ExitStatus> for Ended {
    fn from(status: ExitStatus) -> Self {
        #[cfg(unix)]
        {
            use std::os::unix::process::ExitStatusExt;
            if let Some(signal) = status.signal() {
                return Self::Signal(signal, status.core_dumped());
            }
        }
        Self::Code(status.code().unwrap_or(-1))
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited with code {code}"),
            Self::Signal(signal, core) => {
                write!(f, "was killed by signal {signal}")?;
                if let Some(name) = signal_name(*signal) {
                    write!(f, " ({name})")?;
                }
                if *core { write!(f, ", core dumped") } else { Ok(()) }
            }
            Self::TimedOut(timeout) => {
                write!(f, "was killed because it ran longer than {} s", timeout.as_secs_f64())
            }
        }
    }
}

#[cfg(unix)]
fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        nix::libc::SIGABRT => "SIGABRT: abort",
        nix::libc::SIGALRM => "SIGALRM: alarm clock",
        nix::libc::SIGBUS => "SIGBUS: bad access to memory",
        nix::libc::SIGFPE => "SIGFPE: arithmetic error",
        nix::libc::SIGHUP => "SIGHUP: hangup",
        nix::libc::SIGILL => "SIGILL: illegal instruction",
        nix::libc::SIGINT => "SIGINT: interrupted",
        nix::libc::SIGKILL => "SIGKILL: killed",
        nix::libc::SIGPIPE => "SIGPIPE: broken pipe",
        nix::libc::SIGQUIT => "SIGQUIT: quit",
        nix::libc::SIGSEGV => "SIGSEGV: invalid memory reference",
        nix::libc::SIGSYS => "SIGSYS: bad system call",
        nix::libc::SIGTERM => "SIGTERM: terminated",
        nix::libc::SIGTRAP => "SIGTRAP: trap",
        nix::libc::SIGUSR1 => "SIGUSR1",
        nix::libc::SIGUSR2 => "SIGUSR2",
        _ => return None,
    })
}

#[cfg(not(unix))]
fn signal_name(_signal: i32) -> Option<&'static str> {
    None
}
