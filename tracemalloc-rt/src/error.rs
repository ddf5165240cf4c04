//! Errors of the library's functions.

use std::fmt;

/// Why a function of this library failed. Two have the texts of Python's exceptions.
///
/// ```
/// assert_eq!(
///     tracemalloc::start(0).unwrap_err().to_string(),
///     "the number of frames must be in range [1; 65535]",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The limit of [`start`](crate::start) is 0 or above 65,535. Python: `ValueError`.
    NframeOutOfRange,
    /// The interval of [`start_sampled`](crate::start_sampled) is 0 or above 2^53.
    NoInterval,
    /// [`take_snapshot`](crate::take_snapshot) needs a program that traces. Python:
    /// `RuntimeError`.
    SnapshotNeedsTracing,
    /// [`track`](crate::track), [`untrack`](crate::untrack) and [`holders`](crate::holders()) need
    /// a program that traces. Python's C interface returns -2.
    NotTracing,
    /// The tracer found no memory. Python: `MemoryError`.
    NoMemory,
    /// [`holders`](crate::holders()) could not search the heap, or only a part of it.
    #[non_exhaustive]
    HeapNotSearched {
        /// Why not.
        reason: String,
    },
    /// The program's global allocator does not trace.
    NotInstalled,
    /// The program's global allocator traces, but with a version of this crate that this one cannot
    /// talk to.
    #[non_exhaustive]
    OtherVersion {
        /// The version of `tracemalloc-rt` in the allocator.
        installed: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NframeOutOfRange => {
                f.write_str("the number of frames must be in range [1; 65535]")
            }
            Self::NoInterval => {
                f.write_str("the sampling interval must be in range [1; 9007199254740992] bytes")
            }
            Self::SnapshotNeedsTracing => f.write_str(
                "the tracemalloc module must be tracing memory allocations to take a snapshot",
            ),
            Self::NotTracing => f.write_str(
                "the tracemalloc module is not tracing: call `tracemalloc::start` before",
            ),
            Self::NoMemory => {
                f.write_str("the tracemalloc module found no memory to trace a block")
            }
            Self::HeapNotSearched { reason } => {
                write!(f, "the heap could not be searched for holders: {reason}")
            }
            Self::NotInstalled => f.write_str(
                "this program's global allocator does not trace: it needs `#[global_allocator] \
                 static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();`",
            ),
            Self::OtherVersion { installed } => write!(
                f,
                "this program's global allocator is from tracemalloc-rt {installed}, which \
                 tracemalloc-rt {this} cannot talk to: depend on tracemalloc-rt {installed}, or, where \
                 cargo-tracemalloc brings the allocator, install cargo-tracemalloc {this}",
                this = env!("CARGO_PKG_VERSION")
            ),
        }
    }
}

impl std::error::Error for Error {}
