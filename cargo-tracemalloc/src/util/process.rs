//! Child processes: composed, printed in a form that a shell accepts, and run.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use camino::Utf8Path;

use crate::util::terminal;

/// The longest time to wait for output after a process has ended.
const PATIENCE: Duration = Duration::from_secs(1);

/// A command line. Its [`Display`](fmt::Display) can be pasted into a shell.
#[derive(Debug)]
pub struct Process {
    command: Command,
}

impl Process {
    /// A process without arguments.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self { command: Command::new(program) }
    }

    /// Adds an argument.
    pub fn arg(&mut self, arg: impl AsRef<OsStr>) -> &mut Self {
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    pub fn args(&mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> &mut Self {
        self.command.args(args);
        self
    }

    /// Sets or unsets an environment variable.
    pub fn env(&mut self, name: &str, value: Option<impl AsRef<OsStr>>) -> &mut Self {
        match value {
            Some(value) => self.command.env(name, value),
            None => self.command.env_remove(name),
        };
        self
    }

    /// Sets the working directory.
    pub fn dir(&mut self, dir: &Utf8Path) -> &mut Self {
        self.command.current_dir(dir);
        self
    }

    /// Redirects its stdout to the stderr of this process.
    pub fn stdout_to_stderr(&mut self) -> &mut Self {
        self.command.stdout(std::io::stderr());
        self
    }

    /// Writes its output to a file.
    pub fn log_to(&mut self, file: &File) -> Result<&mut Self> {
        self.command.stdout(file.try_clone()?).stderr(file.try_clone()?);
        Ok(self)
    }

    /// Discards its output.
    pub fn silent(&mut self) -> &mut Self {
        self.command.stdout(Stdio::null()).stderr(Stdio::null());
        self
    }

    /// Prints the command line, like `cargo -v`.
    pub fn print_if(&mut self, verbose: bool) -> &mut Self {
        if verbose {
            terminal::status("Running", format_args!("`{self}`"));
        }
        self
    }

    /// Runs it to its end.
    pub fn status(&mut self) -> Result<ExitStatus> {
        self.command.status().with_context(|| self.could_not_run())
    }

    /// Starts it.
    pub fn spawn(&mut self) -> Result<Child> {
        self.command.spawn().with_context(|| self.could_not_run())
    }

    /// Runs it to its end. If stdout is a pipe whose reader goes away, like `head`, the process
    /// goes on, and its output is lost.
    pub fn status_without_reader(&mut self) -> Result<ExitStatus> {
        if !is_pipe(&io::stdout()) {
            return self.status();
        }
        self.command.stdout(Stdio::piped());
        let mut child = self.spawn()?;
        let output = child.stdout.take();
        let (running, is_over) = mpsc::channel::<()>();
        thread::spawn(move || {
            if let Some(output) = output {
                pass_on(output);
            }
            drop(running);
        });
        let status = child.wait().with_context(|| self.could_not_run())?;
        // A process that outlives cargo may keep the pipe open.
        let _ = is_over.recv_timeout(PATIENCE);
        Ok(status)
    }

    /// Runs it to its end with this input. Captures stderr.
    pub fn stderr_with_stdin(&mut self, input: &[u8]) -> Result<Output> {
        self.command.stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.spawn()?;
        // A process that does not read its input says why itself.
        let _unread = child.stdin.take().map(|mut stdin| stdin.write_all(input));
        child.wait_with_output().with_context(|| self.could_not_run())
    }

    /// Runs it to its end. Captures stdout.
    pub fn stdout(&mut self) -> Result<Output> {
        self.command.stderr(Stdio::inherit()).output().with_context(|| self.could_not_run())
    }

    /// Runs it to its end. Captures stderr.
    pub fn stderr(&mut self) -> Result<Output> {
        self.command
            .stdout(Stdio::inherit())
            .stdin(Stdio::inherit())
            .output()
            .with_context(|| self.could_not_run())
    }

    /// Runs it to its end, and returns its stdout.
    pub fn read(&mut self) -> Result<String> {
        let output = self.command.output().with_context(|| self.could_not_run())?;
        if !output.status.success() {
            bail!(
                "`{self}` failed ({}): {}",
                output.status,
                String::from_utf8_lossy(&output.stderr).trim_end()
            );
        }
        String::from_utf8(output.stdout)
            .with_context(|| format!("failed to read the output of `{self}`"))
    }

    fn could_not_run(&self) -> String {
        format!("failed to run `{}`", self.command.get_program().display())
    }
}

/// Copies to stdout until the end. Goes on reading when stdout is closed.
fn pass_on(mut output: impl Read) {
    let mut part = [0; 1 << 14];
    let mut is_open = true;
    while let Ok(length @ 1..) = output.read(&mut part) {
        let mut stdout = io::stdout();
        is_open =
            is_open && stdout.write_all(&part[..length]).and_then(|()| stdout.flush()).is_ok();
    }
}

#[cfg(unix)]
fn is_pipe(stdout: &io::Stdout) -> bool {
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::FileTypeExt as _;

    let file = stdout.as_fd().try_clone_to_owned().map(std::fs::File::from);
    file.and_then(|file| file.metadata()).is_ok_and(|metadata| metadata.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_pipe(_stdout: &io::Stdout) -> bool {
    false
}

impl fmt::Display for Process {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |part: &OsStr| part.to_string_lossy().into_owned();
        if let Some(dir) = self.command.get_current_dir() {
            write!(formatter, "cd {} && ", shell_words::quote(&dir.to_string_lossy()))?;
        }
        let (set, unset): (Vec<_>, Vec<_>) =
            self.command.get_envs().partition(|(_, value)| value.is_some());
        if !unset.is_empty() {
            formatter.write_str("env ")?;
        }
        for (name, _) in unset {
            write!(formatter, "-u {} ", text(name))?;
        }
        for (name, value) in set {
            write!(
                formatter,
                "{}={} ",
                text(name),
                shell_words::quote(&text(value.unwrap_or_default()))
            )?;
        }
        let words: Vec<OsString> = std::iter::once(self.command.get_program())
            .chain(self.command.get_args())
            .map(OsStr::to_owned)
            .collect();
        formatter.write_str(&shell_words::join(words.iter().map(|word| text(word))))
    }
}
