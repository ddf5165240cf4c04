//! Python's `tracemalloc` for Rust: a tracing global allocator, and snapshots, statistics and
//! filters over what it saw.
//!
//! ```
//! use tracemalloc::{KeyType, Tracemalloc};
//!
//! #[global_allocator]
//! static ALLOCATOR: Tracemalloc = Tracemalloc::system();
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     tracemalloc::start(1)?;
//!     let before = tracemalloc::take_snapshot()?;
//!     let kept: Vec<String> = (0..100).map(|n| n.to_string()).collect();
//!     let after = tracemalloc::take_snapshot()?;
//!     for statistic in after.compare_to(&before, KeyType::Lineno, false)?.iter().take(10) {
//!         println!("{statistic}");
//!     }
//!     drop(kept);
//!     Ok(())
//! }
//! ```
//!
//! The functions are those of Python's module, and so are the types. A program starts to trace by
//! [`start`], or with the environment variable `TRACEMALLOC=NFRAME`, which is read like
//! `PYTHONTRACEMALLOC` and holds from the first allocation on. What `cargo tracemalloc test` traces
//! for itself is apart from it: each sees only what it asked for.
//!
//! # Differences from Python
//!
//! Names, arithmetic, sort orders and texts are those of CPython's `tracemalloc` (3.9 to 3.13).
//! What differs:
//!
//! - Nothing can be traced without a [`Tracemalloc`] as the program's global allocator: [`start`]
//!   says so.
//! - [`start`] has no default; Python's is 1. There is no `-X tracemalloc`, and no `_get_traces`
//!   nor other private names.
//! - The most recent frame of a traceback is the innermost one that does not belong to the standard
//!   library, and the oldest one is that of `main` or of the thread's function;
//!   [`take_snapshot_with_std`] keeps the library's. Frames that were inlined are frames.
//! - `total_nframe` counts the same frames. Of a stack with some fifty more frames than the limit,
//!   those that were not kept are counted as the processor sees them: without inlined ones, and
//!   with those before `main`.
//! - A [`Frame`] may know its function and its column. Equality, order, hash, `Display` and `Debug`
//!   leave them out, and so do the key types of [`Snapshot::statistics`]: two functions on one line
//!   are one group, as in Python.
//! - [`Traceback::new`] takes frames oldest first, in the order in which they are then iterated;
//!   Python's constructor reverses. A traceback always has a frame: without any, it is
//!   `<unknown>:0`.
//! - [`get_object_traceback`] takes a pointer, which may point into the block.
//! - What this library allocates for a snapshot is not in the next one. What was freed and
//!   allocated anew by the program is always traced anew: Rust has no lists of freed objects.
//! - [`take_snapshot`] does not stop other threads: what they allocate or free meanwhile may be in
//!   it or not.
//! - [`stop`] and [`clear_traces`] give no memory back to the system: the tracer uses it again.
//! - Where the tracer finds no memory for a block, the program gets its block all the same,
//!   untraced; CPython makes the allocation fail.
//! - Sums that do not fit a `u64`, and differences that do not fit an `i64`, stay at the bound.
//! - [`Snapshot::filter_traces`] takes a slice, and anything that is a [`BaseFilter`].
//! - [`Snapshot::dump`] writes JSON, not a pickle. The two cannot read each other's files.
//! - Source lines ([`Sources`]) are counted by `\n` alone, as rustc counts them, and files are read
//!   as UTF-8.

#[cfg(feature = "program")]
#[doc(hidden)]
pub mod __private;
mod alloc;
mod api;
#[cfg(feature = "program")]
mod armed;
mod asked;
mod capture;
#[cfg(feature = "program")]
mod check;
mod contexts;
mod dump;
mod error;
mod filter;
mod fnmatch;
mod fork;
mod frame;
#[cfg(feature = "program")]
mod group;
#[cfg(feature = "program")]
mod growth;
mod handshake;
#[cfg(feature = "program")]
mod holders;
mod intern;
mod judge;
mod key_type;
mod ledger;
mod limits;
mod live;
#[cfg(feature = "load")]
mod load;
mod loaded;
mod memory;
mod namer;
mod names;
mod pages;
#[cfg(feature = "program")]
mod parse_size;
#[cfg(feature = "program")]
mod pretty_top;
#[doc(hidden)]
pub mod raw;
mod repr;
mod scan;
mod scope;
mod shadow;
mod size;
mod snapshot;
mod sort;
#[cfg(feature = "program")]
mod source;
#[cfg(feature = "program")]
mod spawn;
mod spin_lock;
mod stacks;
mod startup;
#[cfg(feature = "program")]
mod statistic;
mod symbol_name;
mod symbolize;
mod thread;
mod trace;
mod traceback;
mod trim;
mod view;

pub use alloc::Tracemalloc;
pub use api::{
    clear_traces, get_object_traceback, get_traceback_limit, get_traced_memory,
    get_tracemalloc_memory, is_tracing, reset_peak, start, stop, take_snapshot,
    take_snapshot_with_std, track, untrack,
};
#[cfg(feature = "program")]
pub use check::check;
pub use dump::DumpError;
pub use error::Error;
pub use filter::{BaseFilter, DomainFilter, Filter};
pub use fnmatch::fnmatchcase;
pub use frame::Frame;
#[cfg(feature = "program")]
pub use growth::Growth;
pub use handshake::is_installed;
#[cfg(feature = "program")]
pub use holders::{HolderStatistic, holders};
pub use key_type::{KeyType, KeyTypeError};
pub use limits::Limits;
#[cfg(feature = "load")]
pub use load::LoadError;
#[cfg(feature = "program")]
pub use parse_size::{ParseSizeError, parse_size};
#[cfg(feature = "program")]
pub use pretty_top::pretty_top;
pub use size::format_size;
pub use snapshot::Snapshot;
#[cfg(feature = "program")]
pub use source::Sources;
#[cfg(feature = "program")]
pub use statistic::{Statistic, StatisticDiff};
pub use trace::Trace;
pub use traceback::Traceback;
#[cfg(feature = "macros")]
pub use tracemalloc_macros::{assert_no_growth, check};
