//! The flags that say for which callers allocations are recorded, and the count of missed blocks.

use core::sync::atomic::{AtomicU8, AtomicU64};

/// For which callers allocations are recorded: [`UNDECIDED`], or any of [`FOR_HARNESS`],
/// [`FOR_PROGRAM`] and [`FOR_CHECKS`]. With 0, nothing is recorded.
pub static TRACING: AtomicU8 = AtomicU8::new(UNDECIDED);
/// For `cargo tracemalloc test`.
pub const FOR_HARNESS: u8 = 1;
/// For the program's own view.
pub const FOR_PROGRAM: u8 = 2;
/// The environment has not been read yet; the first allocation reads it.
pub const UNDECIDED: u8 = 4;
/// For checks, which record what is allocated in their scopes.
pub const FOR_CHECKS: u8 = 8;
/// Blocks that could not be recorded because the tracer had no memory for them.
pub static MISSED: AtomicU64 = AtomicU64::new(0);
