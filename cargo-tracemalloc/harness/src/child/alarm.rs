//! An alarm that ends the process if the harness's own thread does not return in time.

use std::time::Duration;

/// A set alarm. It is stopped when this is dropped.
#[derive(Debug)]
pub struct Alarm(());

impl Alarm {
    /// Ends the process by `SIGALRM` after this time, in whole seconds. A body that uses the alarm
    /// itself replaces it.
    pub fn after(patience: Duration) -> Self {
        #[cfg(unix)]
        // SAFETY: the set is valid for reads and writes, and the default action is no function of
        // this process.
        unsafe {
            let mut signals = std::mem::zeroed();
            libc::sigemptyset(&raw mut signals);
            libc::sigaddset(&raw mut signals, libc::SIGALRM);
            libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const signals, std::ptr::null_mut());
            libc::signal(libc::SIGALRM, libc::SIG_DFL);
            let seconds = patience.as_secs().clamp(1, 1 << 30);
            libc::alarm(seconds as libc::c_uint);
        }
        #[cfg(not(unix))]
        let _ = patience;
        Self(())
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        #[cfg(unix)]
        // SAFETY: the call has no preconditions.
        unsafe {
            libc::alarm(0);
        }
    }
}
