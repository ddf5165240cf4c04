//! `malloc`, `free` and the like, defined for the whole program: C's blocks are traced like Rust's.
//!
//! The definitions are weak, and call the C library's own under their second names. Where another
//! allocator defines `malloc`, ours is not linked, and C's blocks stay untraced: [`obstacle`].
//! Until [`arm`] is called, the functions only pass calls on.
//!
//! `trace/c_record` records the blocks. Code that holds a lock of the tracer's or of the C library
//! may allocate, so guards keep it from waiting for itself. `trace/capture/c_stack` walks by rules
//! from unwind tables to the first frame with a frame pointer, and then by the chain.
//!
//! Rust's allocator records its blocks itself, and calls its inner allocator as
//! [`inner_allocator`] says.

pub mod inner_allocator;
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

pub use self::interposed::{arm, arm_for_program, obstacle};
