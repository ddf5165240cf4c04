//! Python's `tracemalloc` for Rust: a tracing global allocator, and what it saw.
//!
//! [`Tracemalloc`] wraps any global allocator and remembers, for each live block, the stack that allocated it.
//! [`start`] turns that on, [`Live`] says what is live by stack and what has changed, [`Symbolizer`] names the frames.

mod alloc;
mod capture;
mod fork;
mod handshake;
mod ledger;
mod live;
mod memory;
mod shadow;
mod spin_lock;
mod stacks;
mod symbolize;
mod thread;

pub use alloc::Tracemalloc;
pub use capture::Walk;
pub use handshake::is_installed;
pub use live::{Change, Live, addresses, missed, start, stop};
pub use stacks::{MAX_DEPTH, StackId};
pub use symbolize::{Symbol, Symbolizer};
pub use thread::{Pause, pause};
