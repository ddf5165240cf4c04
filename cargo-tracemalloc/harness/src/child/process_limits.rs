//! The resource limits of the process. A test may lower them so far that the harness cannot write
//! its entry.

/// The limits on open files and on the sizes of files.
#[derive(Debug)]
pub struct Limits {
    #[cfg(unix)]
    saved: [Option<libc::rlimit>; 2],
}

impl Limits {
    /// Reads the current limits.
    pub fn now() -> Self {
        Self {
            #[cfg(unix)]
            // The type of these constants differs from system to system.
            saved: [libc::RLIMIT_NOFILE, libc::RLIMIT_FSIZE].map(|kind| {
                let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
                // SAFETY: `limit` is valid for writes.
                let got = unsafe { libc::getrlimit(kind, &raw mut limit) };
                (got == 0).then_some(limit)
            }),
        }
    }

    /// Restores the limits. Only root can raise a hard limit again.
    pub fn restore(&self) {
        #[cfg(unix)]
        for (kind, saved) in [libc::RLIMIT_NOFILE, libc::RLIMIT_FSIZE].into_iter().zip(&self.saved)
        {
            if let Some(saved) = saved {
                // SAFETY: `saved` is a limit that the system returned.
                unsafe { libc::setrlimit(kind, saved) };
            }
        }
    }
}
