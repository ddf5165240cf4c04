//! The system's number of the calling thread.

/// The calling thread's number.
pub fn thread_id() -> i32 {
    // SAFETY: takes nothing and always succeeds.
    unsafe { libc::syscall(libc::SYS_gettid) as i32 }
}
