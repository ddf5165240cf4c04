//! Python's `tracemalloc` for Rust: a tracing global allocator, and snapshots, statistics and filters over what it saw.
//!
//! [`Tracemalloc`] wraps any global allocator and remembers, for each live block, the stack that allocated it.
//!
//! # Differences from Python
//!
//! Names, arithmetic, sort orders and texts are those of CPython's `tracemalloc` (3.9 to 3.13). What differs:
//!
//! - A [`Frame`] may know its function and its column. Equality, order, hash, `Display` and `Debug` leave them out, and
//!   so do the key types of [`Snapshot::statistics`]: two functions on one line are one group, as in Python.
//! - [`Traceback::new`] takes frames oldest first, in the order in which they are then iterated; Python's constructor
//!   reverses. A traceback always has a frame: without any, it is `<unknown>:0`.
//! - Sums that do not fit a `u64`, and differences that do not fit an `i64`, stay at the bound.
//! - [`Snapshot::filter_traces`] takes a slice, and anything that is a [`BaseFilter`].
//! - [`Snapshot::dump`] writes JSON, not a pickle. The two cannot read each other's files.
//! - Source lines ([`Sources`]) are counted by `\n` alone, as rustc counts them, and files are read as UTF-8.

mod alloc;
mod api;
mod capture;
#[cfg(feature = "dump")]
mod dump;
mod error;
mod filter;
mod fnmatch;
mod fork;
mod frame;
mod group;
mod handshake;
mod intern;
mod ledger;
mod live;
#[cfg(feature = "dump")]
mod load;
mod memory;
mod namer;
mod pages;
mod pretty_top;
#[doc(hidden)]
pub mod raw;
mod repr;
mod scan;
mod shadow;
mod size;
mod snapshot;
mod source;
mod spin_lock;
mod stacks;
mod startup;
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
    clear_traces, get_object_traceback, get_traceback_limit, get_traced_memory, get_tracemalloc_memory, is_tracing,
    reset_peak, start, stop, take_snapshot, take_snapshot_with_std, track, untrack,
};
#[cfg(feature = "dump")]
pub use dump::DumpError;
pub use error::Error;
pub use filter::{BaseFilter, DomainFilter, Filter};
pub use frame::Frame;
pub use handshake::is_installed;
#[cfg(feature = "dump")]
pub use load::LoadError;
pub use pretty_top::pretty_top;
pub use size::{ParseSizeError, format_size, parse_size};
pub use snapshot::Snapshot;
pub use source::Sources;
pub use statistic::{KeyType, KeyTypeError, Statistic, StatisticDiff};
pub use trace::Trace;
pub use traceback::Traceback;
