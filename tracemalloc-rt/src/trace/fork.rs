//! No lock of ours is held in the child of a `fork`.

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
    crate::trace::view::before_fork();
    crate::trace::scope::before_fork();
    crate::trace::contexts::before_fork();
    crate::trace::thread::before_fork();
    crate::trace::shadow::before_fork();
}

#[cfg(unix)]
extern "C" fn after() {
    crate::trace::shadow::after_fork();
    crate::trace::thread::after_fork();
    crate::trace::contexts::after_fork();
    crate::trace::scope::after_fork();
    crate::trace::view::after_fork();
}
