//! The handler for Ctrl-C, and for signals that end the command.
//!
//! A terminal sends Ctrl-C to cargo and to the tests too. A signal that a process has sent reaches
//! the command alone, so the command passes it on to all processes that it has started. In both
//! cases the command waits until they have ended, writes the report of the tests that had ended,
//! and cleans up. A second signal ends the command at once.

use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(not(unix))]
use anyhow::Context as _;
use anyhow::Result;

use crate::util::exit_code::ENDED_BY_SIGNAL;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// Locked while a signal is passed on. The command must not end before all processes have it.
static PASSING_ON: Mutex<()> = Mutex::new(());

/// Installs the handler. From now on, the first signal only makes [`interrupted`] true.
#[cfg(unix)]
pub fn install() -> Result<()> {
    use nix::sys::signal::Signal;

    use crate::util::{descendants, signals};

    let ending = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM];
    signals::handle_each(ending, |signal, is_sent| {
        let _passing_on = PASSING_ON.lock();
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            process::exit(ENDED_BY_SIGNAL + signal as i32);
        }
        if is_sent {
            descendants::send(signal);
        }
    })
}

/// Installs the handler. From now on, the first interrupt only makes [`interrupted`] true.
#[cfg(not(unix))]
pub fn install() -> Result<()> {
    const INTERRUPT: i32 = 2;

    ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            process::exit(ENDED_BY_SIGNAL + INTERRUPT);
        }
    })
    .context("failed to install a handler for interrupts")
}

/// Whether a signal has come. If so, all processes have it.
pub fn interrupted() -> bool {
    let interrupted = INTERRUPTED.load(Ordering::SeqCst);
    if interrupted {
        drop(PASSING_ON.lock());
    }
    interrupted
}
