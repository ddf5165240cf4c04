//! Threads belong to the check that they are started in.
//!
//! A new thread can only be told who started it by the one who does. Std has no stable hook for
//! that, so on Linux with the GNU C library this crate defines `pthread_create`, and hands on to
//! the C library's. The definition is weak: two copies of this crate in one program are no error,
//! and a static C library's own wins. Until the first check runs, it does nothing but hand on.
//!
//! Elsewhere threads start outside of every check, and what they allocate is nobody's.

#[cfg_attr(
    not(all(
        target_os = "linux",
        target_env = "gnu",
        not(target_feature = "crt-static"),
        target_pointer_width = "64",
        not(miri),
        feature = "macros"
    )),
    path = "not_interposed.rs"
)]
mod interposed;

/// From now on, threads are started in the scope of the thread that starts them.
pub fn arm() {
    interposed::arm();
}

/// Whether threads that a check starts belong to it.
pub fn is_followed() -> bool {
    interposed::is_linked()
}
