//! Signals to the command, on a thread of their own.

use std::fs;
use std::thread;

use anyhow::{Context as _, Result};
use nix::sys::signal::Signal;
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::origin::WithOrigin;
use signal_hook::low_level::siginfo::Cause;

/// Calls `handle` for each of these signals that comes from now on. Its second argument says
/// whether a process has sent the signal. The kernel sends the others, such as Ctrl-C, and every
/// process in the foreground gets those.
///
/// A signal that was ignored when this process started, as under `nohup`, stays ignored. A child
/// inherits that, and it would not inherit a handler.
pub fn handle_each(
    signals: impl IntoIterator<Item = Signal>,
    handle: impl Fn(Signal, bool) + Send + 'static,
) -> Result<()> {
    let ignored = ignored();
    // Bit 0 is signal 1.
    let heeded = signals.into_iter().map(|signal| signal as i32);
    let heeded = heeded.filter(|signal| ignored & (1 << (signal - 1)) == 0);
    let mut signals = SignalsInfo::<WithOrigin>::new(heeded)
        .context("failed to install a handler for signals")?;
    let handle_all = move || {
        for origin in signals.forever() {
            if let Ok(signal) = Signal::try_from(origin.signal) {
                handle(signal, origin.cause != Cause::Kernel);
            }
        }
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(handle_all)
        .context("failed to start a thread for signals")?;
    Ok(())
}

/// The mask of the signals that this process ignores.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
