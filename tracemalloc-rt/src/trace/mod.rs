//! The tracer: what an allocation and a free do, and the state that they keep.
//!
//! It may call `os` and `util`. Nothing here may be called while a thread is stopped by a search.

pub mod capture;
pub mod contexts;
pub mod control;
pub mod environment;
pub mod fork;
pub mod ledger;
pub mod live;
pub mod record;
pub mod scope;
pub mod scope_table;
pub mod shadow;
pub mod stack_id;
pub mod state;
pub mod thread;
#[cfg_attr(
    not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))),
    path = "no_thread_stacks.rs"
)]
pub mod thread_stacks;
pub mod view;
