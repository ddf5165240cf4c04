//! Signals that the command passes on to a program that it runs.
//!
//! A terminal sends its signals to every process in the foreground, so the program has them
//! already. Only signals that a process has sent are passed on.

use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use signal_hook::low_level::emulate_default_handler;

use crate::util::process::Process;
use crate::util::{signals, terminal};

/// These end cargo too, so they may come before the program runs.
const ENDING: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];
const OTHERS: [Signal; 2] = [Signal::SIGUSR1, Signal::SIGUSR2];

/// The signals of this process. Without a program they have their default effect.
pub struct PassedSignals {
    program: Arc<Mutex<Option<Pid>>>,
}

impl PassedSignals {
    /// Starts to catch signals. The file `running` exists once the program runs.
    pub fn catch(running: PathBuf) -> Result<Self> {
        let program = Arc::new(Mutex::new(None));
        let recipient = Arc::clone(&program);
        signals::handle_each(ENDING.into_iter().chain(OTHERS), move |signal, is_sent| {
            let program = recipient.lock().unwrap_or_else(PoisonError::into_inner);
            pass_on(signal, is_sent, *program, &|| running.exists());
        })?;
        Ok(Self { program })
    }

    /// Runs a process to its end. It is the one that gets the signals.
    pub fn run(&self, process: &mut Process) -> Result<ExitStatus> {
        let lock = || self.program.lock().unwrap_or_else(PoisonError::into_inner);
        let mut program = lock();
        let mut child = process.spawn()?;
        let pid = Pid::from_raw(child.id().cast_signed());
        *program = Some(pid);
        drop(program);
        // The process keeps its number until `wait`. So no signal can reach another process.
        while waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT)
            == Err(nix::errno::Errno::EINTR)
        {}
        *lock() = None;
        child.wait().context("failed to wait for the program")
    }
}

fn pass_on(signal: Signal, is_sent: bool, program: Option<Pid>, runs: &dyn Fn() -> bool) {
    let Some(program) = program else {
        // The default action of all these signals ends the command.
        let _ = emulate_default_handler(signal as i32);
        return;
    };
    if !is_sent {
        return;
    }
    if !ENDING.contains(&signal) && !runs() {
        terminal::warning(format_args!("{signal} came before the program ran, and had no effect"));
        return;
    }
    // It fails only for a program that has ended, or that another user owns.
    if let Err(error) = kill(program, signal) {
        terminal::warning(format_args!(
            "{signal} cannot be passed on to process {program}: {error}"
        ));
    }
}
