//! Starts threads in the scope of the check that starts them.
//!
//! Only the thread that starts another one knows the scope. Std has no stable hook for that. So on
//! Linux with the GNU C library this crate defines `pthread_create`, which calls the C library's.
//! The definition is weak: two copies of this crate in one program are no error, and that of a
//! static C library wins. Until the first check runs, it only passes the call on.
//!
//! On other systems threads start outside of every check, and no check counts what they allocate.

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

/// From now on, threads start in the scope of the thread that starts them.
pub fn arm() {
    interposed::arm();
}

/// Whether a check counts what its threads allocate.
pub fn is_followed() -> bool {
    interposed::is_linked()
}
