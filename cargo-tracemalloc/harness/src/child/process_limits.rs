//! Limits that a test may have lowered for its process, and that would keep us from writing down
//! what it came to.

/// The limits on open files and on the sizes of files.
#[derive(Debug)]
pub struct Limits {
    #[cfg(unix)]
    saved: [Option<libc::rlimit>; 2],
}

impl Limits {
    /// As they are now.
    pub fn now() -> Self {
        Self {
            #[cfg(unix)]
            // The type of these constants differs from system to system.
            saved: [libc::RLIMIT_NOFILE, libc::RLIMIT_FSIZE].map(|kind| {
                let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
                // SAFETY: `limit` is a place to write to.
                let got = unsafe { libc::getrlimit(kind, &raw mut limit) };
                (got == 0).then_some(limit)
            }),
        }
    }

    /// Puts them back, as far as the system lets us: a hard limit that was lowered stays, but for
    /// root.
    pub fn restore(&self) {
        #[cfg(unix)]
        for (kind, saved) in [libc::RLIMIT_NOFILE, libc::RLIMIT_FSIZE].into_iter().zip(&self.saved)
        {
            if let Some(saved) = saved {
                // SAFETY: `saved` is a limit that the system gave.
                unsafe { libc::setrlimit(kind, saved) };
            }
        }
    }
}
