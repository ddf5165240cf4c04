//! The tracer: records each allocation and each free, and keeps the stack and size of each block.
//!
//! It may call `os` and `util`. The fast path never panics, never allocates through the global
//! allocator, and never waits for another thread's work. While a search of the heap has stopped
//! other threads, only functions whose documentation says so may be called.

#[cfg(all(
    feature = "c-malloc",
    target_os = "linux",
    target_env = "gnu",
    target_arch = "x86_64",
    not(miri)
))]
pub mod c_record;
pub mod capture;
pub mod contexts;
pub mod control;
pub mod environment;
pub mod fork;
pub mod guard;
pub mod ledger;
pub mod live;
pub mod mismatches;
pub mod record;
pub mod sampling;
pub mod scope;
pub mod scope_table;
pub mod shadow;
pub mod spending;
pub mod stack_id;
pub mod state;
pub mod thread;
#[cfg_attr(
    not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))),
    path = "no_thread_stacks.rs"
)]
pub mod thread_stacks;
pub mod view;
