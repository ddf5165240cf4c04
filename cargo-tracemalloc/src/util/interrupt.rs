//! The handler for Ctrl-C, and for signals that end the command.
//!
//! A terminal sends Ctrl-C to cargo and to the tests too. A signal that a process has sent reaches
//! the command alone, so the command passes it on to all processes that it has started. In both
//! cases the command waits until they have ended, writes the report of the tests that had ended,
//! and cleans up. A second signal ends the command at once.

use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// Locked while a signal is passed on. The command must not end before all processes have it.
static PASSING_ON: Mutex<()> = Mutex::new(());
/// A shell adds this to the number of the signal that ended a process.
const ENDED_BY_SIGNAL: i32 = 128;

/// Installs the handler. From now on, the first signal only makes [`interrupted`] true.
#[cfg(unix)]
pub fn install() -> Result<()> {
    use nix::sys::signal::Signal;
    use signal_hook::iterator::SignalsInfo;
    use signal_hook::iterator::exfiltrator::origin::WithOrigin;
    use signal_hook::low_level::siginfo::Cause;

    use crate::util::descendants;
    use crate::util::passed_signals::is_ignored;

    // A child inherits that a signal is ignored. A caught one is no longer ignored.
    let caught = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM].into_iter();
    let caught = caught.filter(|signal| !is_ignored(*signal)).map(|signal| signal as i32);
    let mut signals = SignalsInfo::<WithOrigin>::new(caught)
        .context("failed to install a handler for signals")?;
    let handle_all = move || {
        for origin in signals.forever() {
            let _passing_on = PASSING_ON.lock();
            if INTERRUPTED.swap(true, Ordering::SeqCst) {
                process::exit(ENDED_BY_SIGNAL + origin.signal);
            }
            if let (false, Ok(signal)) =
                (origin.cause == Cause::Kernel, Signal::try_from(origin.signal))
            {
                descendants::send(signal);
            }
        }
    };
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(handle_all)
        .context("failed to start a thread for signals")?;
    Ok(())
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
