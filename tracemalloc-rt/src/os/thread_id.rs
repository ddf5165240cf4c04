//! The system's number of the calling thread.

/// The calling thread's number; 0 on systems where nothing reads it.
pub fn thread_id() -> i32 {
    #[cfg(target_os = "linux")]
    // SAFETY: takes nothing and always succeeds.
    return unsafe { libc::syscall(libc::SYS_gettid) as i32 };
    #[cfg(not(target_os = "linux"))]
    0
}
