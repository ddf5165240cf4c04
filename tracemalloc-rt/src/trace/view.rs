//! Counters of the program's own view: bytes, their peak, and the limit of frames.
//!
//! The view is what Python's `tracemalloc` module keeps: the blocks allocated since the program
//! started or cleared its tracing. The harness of `cargo tracemalloc test` may trace for itself at
//! the same time, so each block says whether it is in the view. Bytes in the view are at any moment
//! the sum of the sizes of the blocks that say so: the two only change together.

use core::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use crate::os::spin_lock::SpinLock;

/// One thread at a time starts, stops, clears or reads the view.
pub static ACCESS: SpinLock<()> = SpinLock::new(());
static BYTES: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);
static LIMIT: AtomicU32 = AtomicU32::new(1);

/// Counts a block that was added to the view.
#[inline(always)]
pub fn grew(size: usize) {
    let bytes = BYTES.fetch_add(size as i64, Ordering::Relaxed) + size as i64;
    if bytes > PEAK.load(Ordering::Relaxed) {
        PEAK.fetch_max(bytes, Ordering::Relaxed);
    }
}

/// Counts a block that has left the view.
#[inline(always)]
pub fn shrank(size: usize) {
    BYTES.fetch_sub(size as i64, Ordering::Relaxed);
}

/// Bytes in the view now, and the most that they have been.
pub fn bytes_and_peak() -> (u64, u64) {
    let bytes = BYTES.load(Ordering::Relaxed);
    let peak = PEAK.load(Ordering::Relaxed).max(bytes);
    // Below zero for the moment in which another thread has cleared a block that is just being
    // added.
    (bytes.max(0) as u64, peak.max(0) as u64)
}

/// Sets the peak to the bytes in the view now.
pub fn level_peak() {
    PEAK.store(BYTES.load(Ordering::Relaxed), Ordering::Relaxed);
    // Bytes that were added between the two must not be above the peak.
    PEAK.fetch_max(BYTES.load(Ordering::Relaxed), Ordering::Relaxed);
}

/// The most frames of a traceback; that of the last start, where the program does not trace.
pub fn limit() -> u32 {
    LIMIT.load(Ordering::Relaxed)
}

/// Sets the most frames of a traceback.
pub fn set_limit(limit: u32) {
    LIMIT.store(limit, Ordering::Relaxed);
}
