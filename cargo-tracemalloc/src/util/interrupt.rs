//! Ctrl-C: the terminal sends it to cargo and to the tests too, so it is enough to stay alive until
//! they are gone, and to put away then what is ours. A second one ends the command at once.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// What a shell reports for a process that an interrupt ended.
const CODE_OF_INTERRUPT: i32 = 130;

/// From here on, the first interrupt only makes [`interrupted`] true.
pub fn install() -> Result<()> {
    ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            process::exit(CODE_OF_INTERRUPT);
        }
    })
    .context("failed to install a handler for interrupts")
}

/// Whether an interrupt came.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}
