//! Python's types: frames, tracebacks, traces, snapshots, statistics, filters, and their files.
//!
//! This room may call `os` and `util`. It knows nothing of the allocator, so the command uses it
//! without tracing. The hot path never calls it.

pub mod domain;
pub mod dump;
pub mod filter;
pub mod format_size;
pub mod frame;
#[cfg(feature = "symbolize")]
pub mod group;
pub mod held_memory;
pub mod intern;
pub mod key_type;
#[cfg(feature = "symbolize")]
pub mod linecache;
#[cfg(feature = "load")]
pub mod load;
#[cfg(feature = "symbolize")]
pub mod parse_size;
#[cfg(feature = "pprof")]
pub mod pprof;
#[cfg(feature = "symbolize")]
pub mod pretty_top;
pub mod repr;
pub mod snapshot;
#[cfg(feature = "symbolize")]
pub mod statistic;
pub mod trace;
pub mod traceback;
