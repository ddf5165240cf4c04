//! `malloc`, `free` and the like, defined for the whole program: C's blocks are traced like Rust's.
//!
//! The definitions are weak, and call the C library's own under their second names. Where another
//! allocator defines `malloc`, ours is not linked, and C's blocks stay untraced: [`is_linked`].
//! Until [`arm`] is called, the functions only pass calls on.
//!
//! Rust's allocator records its blocks itself. So blocks that an inner allocator gets from C are
//! passed on unseen ([`unseen`]).

#[cfg_attr(
    not(all(
        feature = "c-malloc",
        target_os = "linux",
        target_env = "gnu",
        target_arch = "x86_64",
        not(miri)
    )),
    path = "not_interposed.rs"
)]
mod interposed;

pub use self::interposed::{arm, is_linked, unseen};
