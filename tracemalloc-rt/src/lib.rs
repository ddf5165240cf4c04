//! Python's `tracemalloc` for Rust: a tracing global allocator, and snapshots, statistics and
//! filters over the traced blocks.
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
//! The functions and the types are those of Python's module. A program starts to trace with
//! [`start`], or with the environment variable `TRACEMALLOC=NFRAME`, which is read like
//! `PYTHONTRACEMALLOC` and holds from the first allocation on. `cargo tracemalloc test` traces for
//! itself: neither sees the blocks that only the other asked for.
//!
//! Beyond Python, the library checks that code keeps no memory ([`check()`],
//! [`#[tracemalloc::check]`](macro@check), [`assert_no_growth!`], [`Growth`]), and that a loop
//! stops to grow ([`steady()`], [`assert_steady!`]). It tells which statics and threads hold the
//! live blocks ([`holders()`]).
//!
//! # Features
//!
//! All of them but `c-malloc` and `pprof` are enabled by default.
//!
//! | feature | gives | costs |
//! |---|---|---|
//! | `symbolize` | names, files and lines from debug information; statistics, checks, holders | `backtrace` |
//! | `macros` | the attribute `check`, the macro `assert_no_growth!`, and threads that belong to the check that starts them | `syn` at compile time; `pthread_create` is interposed, see below |
//! | `load` | [`Snapshot::load`] | `serde_json`, whose comparisons with primitive types can make `assert_eq!(numbers, [])` ambiguous |
//! | `pprof` | `pprof` and `Snapshot::pprof`: profiles for `go tool pprof` | nothing |
//! | `c-malloc` | blocks that C code allocates, on x86-64 Linux with glibc | `malloc`, `free` and the like are defined in every dependent program |
//!
//! **On Linux with glibc, the feature `macros` defines `pthread_create` in every program that
//! depends on this crate**, directly or through another crate. Std has no hook by which a new
//! thread learns which thread started it, and a check has to count the threads that it starts.
//! Until the first check runs, the function only passes calls on to the C library's. The symbol is
//! weak: another definition in the program wins. A program that does not want it turns the default
//! features off:
//!
//! ```toml
//! tracemalloc-rt = { version = "0.1", default-features = false, features = ["symbolize"] }
//! ```
//!
//! # Platforms
//!
//! Tracing is written for every system that has Rust's standard library, and tested on x86-64
//! Linux. Systems without native thread-locals, such as Android, OpenBSD and Windows with GNU
//! tools, need Rust 1.93 for it. It is fast on Linux on x86-64 and AArch64 if the program is built
//! with frame pointers, `-C force-frame-pointers=yes`. [`holders()`] works only there.
//!
//! Files and lines need debug information: `debug = 1` in the Cargo profile. With
//! `debug = "line-tables-only"`, functions have short names. Without debug information, frames go
//! by their function: `<demo::build>:0`.
//!
//! # Differences from Python
//!
//! Names, arithmetic, sort orders and texts are those of CPython's `tracemalloc` (3.9 to 3.13).
//! Differences:
//!
//! - Nothing can be traced without a [`Tracemalloc`] as the program's global allocator: [`start`]
//!   then fails.
//! - [`start`] has no default; Python's is 1. There is no `-X tracemalloc`, and no `_get_traces`
//!   or other private names.
//! - Tracebacks have the frames of the program and of its dependencies, as Python's have no frames
//!   of C functions. [`take_snapshot_with_std`] keeps those of the standard library. The oldest
//!   frame is that of `main` or of the thread's function. Frames that were inlined are frames.
//! - `total_nframe` counts the same frames. If a stack has some fifty more frames than the limit,
//!   the frames that were not kept are counted as the processor sees them. Inlined ones are then
//!   missing, and those before `main` are included.
//! - A [`Frame`] may know its function and its column. Equality, order, hash, `Display` and `Debug`
//!   leave them out, and so do the key types of [`Snapshot::statistics`]. So two functions on one
//!   line are one group, as in Python.
//! - [`Traceback::new`] takes frames oldest first, in the order in which they are then iterated;
//!   Python's constructor reverses. A traceback always has a frame: without any, it is
//!   `<unknown>:0`.
//! - [`get_object_traceback`] takes a pointer, which may point into the block.
//! - A snapshot's own memory is not in the next snapshot. A block that the program has freed and
//!   allocated again is always traced again: Rust has no lists of freed objects.
//! - [`take_snapshot`] does not stop other threads: a block that they allocate or free meanwhile
//!   may be in it or not.
//! - [`stop`] and [`clear_traces`] give no memory back to the system: the tracer uses it again.
//! - If the tracer finds no memory for a block, the program gets its block all the same, untraced;
//!   CPython makes the allocation fail.
//! - Sums that do not fit a `u64`, and differences that do not fit an `i64`, stay at the bound.
//! - [`Snapshot::filter_traces`] takes a slice, and anything that is a [`BaseFilter`].
//! - [`Snapshot::dump`] writes JSON, not a pickle. The two cannot read each other's files.
//! - Source lines ([`Sources`]) are counted by `\n` alone, as rustc counts them, and files are read
//!   as UTF-8.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "symbolize")]
#[doc(hidden)]
pub mod __private;
mod allocator;
mod api;
mod bridge;
mod c_malloc;
#[cfg(feature = "symbolize")]
mod check;
mod error;
mod heap;
#[doc(hidden)]
pub mod internal;
mod judge;
mod limits;
mod model;
mod names;
mod os;
#[cfg(feature = "_sources")]
#[doc(hidden)]
pub mod sources;
mod trace;
mod util;

pub use allocator::Tracemalloc;
#[cfg(feature = "symbolize")]
pub use api::holder::Holder;
#[cfg(feature = "symbolize")]
pub use api::holders::{HolderStatistic, holders};
#[cfg(feature = "pprof")]
pub use api::pprof;
pub use api::{
    clear_traces, get_object_traceback, get_traceback_limit, get_traced_memory,
    get_tracemalloc_memory, is_tracing, reset_peak, start, start_sampled, stop, take_snapshot,
    take_snapshot_with_std, track, untrack,
};
pub use bridge::is_installed;
#[cfg(feature = "symbolize")]
pub use check::check;
#[cfg(feature = "symbolize")]
pub use check::growth::Growth;
#[cfg(feature = "symbolize")]
pub use check::steady::{Finding, Steady, steady};
pub use error::Error;
#[cfg(feature = "symbolize")]
pub use judge::Verdict;
pub use limits::Limits;
pub use model::domain::{Domain, UnknownDomain};
pub use model::dump::DumpError;
pub use model::filter::{BaseFilter, DomainFilter, Filter};
pub use model::format_size::format_size;
pub use model::frame::Frame;
pub use model::key_type::{KeyType, KeyTypeError};
#[cfg(feature = "symbolize")]
pub use model::linecache::Sources;
#[cfg(feature = "load")]
pub use model::load::LoadError;
#[cfg(feature = "symbolize")]
pub use model::parse_size::{ParseSizeError, parse_size};
#[cfg(feature = "symbolize")]
pub use model::pretty_top::pretty_top;
pub use model::snapshot::Snapshot;
#[cfg(feature = "symbolize")]
pub use model::statistic::{Statistic, StatisticDiff};
pub use model::trace::Trace;
pub use model::traceback::Traceback;
#[cfg(feature = "macros")]
pub use tracemalloc_macros::{assert_no_growth, assert_steady, check};
pub use util::fnmatch::fnmatchcase;
