//! Walks by unwind tables, through the `backtrace` crate.

use super::Captured;
use crate::thread;

/// Slow, and for the few stacks that frame pointers cannot walk. The unwinder may allocate: that is not traced.
#[cold]
#[inline(never)]
pub fn walk(depth: usize, captured: &mut Captured) {
    let _pause = thread::pause();
    // SAFETY: the unsynchronised form shares no state between threads as long as nothing is resolved, and it takes no
    // lock, which an allocation inside the symboliser would otherwise wait for.
    unsafe {
        backtrace::trace_unsynchronized(|frame| {
            captured.push(frame.ip().addr());
            captured.len < depth
        });
    }
}
