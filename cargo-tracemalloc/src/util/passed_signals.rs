//! Signals that the command passes on to a program that it runs.
//!
//! A terminal sends its signals to every process in the foreground, so the program has them
//! already. Only signals that a process has sent are passed on.

use std::fs;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context as _, Result};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::origin::WithOrigin;
use signal_hook::low_level::emulate_default_handler;
use signal_hook::low_level::siginfo::{Cause, Origin};

use crate::util::process::Process;
use crate::util::terminal;

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
        let caught = ENDING.into_iter().chain(OTHERS);
        // A child inherits what is ignored, as under `nohup`. A caught signal is no longer ignored.
        let caught = caught.filter(|signal| !is_ignored(*signal));
        let mut signals = SignalsInfo::<WithOrigin>::new(caught.map(|signal| signal as i32))
            .context("failed to catch signals")?;
        let program = Arc::new(Mutex::new(None));
        let recipient = Arc::clone(&program);
        let pass_on_all = move || {
            for origin in signals.forever() {
                let program = recipient.lock().unwrap_or_else(PoisonError::into_inner);
                pass_on(&origin, *program, &|| running.exists());
            }
        };
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(pass_on_all)
            .context("failed to start a thread for signals")?;
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

fn pass_on(origin: &Origin, program: Option<Pid>, runs: &dyn Fn() -> bool) {
    let Ok(signal) = Signal::try_from(origin.signal) else { return };
    let Some(program) = program else {
        // The default action of all these signals ends the command.
        let _ = emulate_default_handler(origin.signal);
        return;
    };
    if origin.cause == Cause::Kernel {
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

/// Whether this process was started with this signal ignored, as by `nohup`.
pub fn is_ignored(signal: Signal) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // Bit 0 is signal 1.
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & (1 << (signal as i32 - 1)) != 0
}
