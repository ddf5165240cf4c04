//! No lock of ours is held in the child of a `fork`.

use crate::trace::capture::settings;
use crate::trace::scope_table::NUMBERS;
use crate::trace::{contexts, shadow, thread, view};

/// Has every lock taken before each `fork` and released on both sides of it.
pub fn prepare() {
    #[cfg(unix)]
    {
        use core::sync::atomic::{AtomicBool, Ordering};
        static DONE: AtomicBool = AtomicBool::new(false);
        if !DONE.swap(true, Ordering::AcqRel) {
            // SAFETY: the handlers only take and release locks.
            unsafe { libc::pthread_atfork(Some(before), Some(after), Some(after)) };
        }
    }
}

/// Takes every lock, for a copy of the process that no handler hears of.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub fn hold() {
    before();
}

/// Releases what [`hold`] took.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub fn let_go() {
    after();
}

#[cfg(unix)]
extern "C" fn before() {
    view::ACCESS.acquire();
    settings::before_fork();
    NUMBERS.acquire();
    contexts::before_fork();
    thread::before_fork();
    shadow::before_fork();
}

#[cfg(unix)]
extern "C" fn after() {
    shadow::after_fork();
    thread::after_fork();
    contexts::after_fork();
    NUMBERS.release();
    settings::after_fork();
    view::ACCESS.release();
}
