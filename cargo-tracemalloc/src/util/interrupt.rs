//! The handler for Ctrl-C.
//!
//! The terminal also sends the signal to cargo and to the tests. So the command waits until they
//! have ended, and then cleans up. A second Ctrl-C ends the command at once.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// The exit code of a shell for a process that an interrupt ended.
const CODE_OF_INTERRUPT: i32 = 130;

/// Installs the handler. From now on, the first interrupt only makes [`interrupted`] true.
pub fn install() -> Result<()> {
    ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            process::exit(CODE_OF_INTERRUPT);
        }
    })
    .context("failed to install a handler for interrupts")
}

/// Whether an interrupt has come.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}
