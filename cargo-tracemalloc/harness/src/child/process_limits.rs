//! The resource limits of the process. A test may lower them so far that the harness cannot judge
//! it.

/// The limits on open files, on the sizes of files and on memory.
#[derive(Debug)]
pub struct Limits {
    #[cfg(unix)]
    saved: [Option<libc::rlimit>; 4],
}

impl Limits {
    /// Reads the current limits.
    pub fn now() -> Self {
        Self {
            #[cfg(unix)]
            saved: unix::KINDS.map(unix::get),
        }
    }

    /// Restores the limits. Only root can raise a hard limit again. Below it, soft limits rise as
    /// far as they can. Returns false if a limit stays lower than it was.
    pub fn restore(&self) -> bool {
        let mut all = true;
        #[cfg(unix)]
        for (kind, saved) in unix::KINDS.into_iter().zip(&self.saved) {
            let (Some(saved), Some(now)) = (saved, unix::get(kind)) else { continue };
            let is_same = (saved.rlim_cur, saved.rlim_max) == (now.rlim_cur, now.rlim_max);
            if !is_same && !unix::set(kind, saved) {
                let rlim_cur = saved.rlim_cur.min(now.rlim_max);
                unix::set(kind, &libc::rlimit { rlim_cur, ..now });
                all = false;
            }
        }
        all
    }
}

#[cfg(unix)]
mod unix {
    // Its type differs from system to system.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    type Kind = libc::__rlimit_resource_t;
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    type Kind = libc::c_int;

    /// The limits that the harness needs to be high.
    pub const KINDS: [Kind; 4] =
        [libc::RLIMIT_NOFILE, libc::RLIMIT_FSIZE, libc::RLIMIT_AS, libc::RLIMIT_DATA];

    pub fn get(kind: Kind) -> Option<libc::rlimit> {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: `limit` is valid for writes.
        let got = unsafe { libc::getrlimit(kind, &raw mut limit) };
        (got == 0).then_some(limit)
    }

    pub fn set(kind: Kind, limit: &libc::rlimit) -> bool {
        // SAFETY: `limit` is valid for reads.
        unsafe { libc::setrlimit(kind, limit) == 0 }
    }
}
