//! Walks by unwind tables, through the `backtrace` crate.

use backtrace::Frame;

use super::Captured;
use crate::thread;

/// Captures what lies outside of the function `root`. Slow, and for the stacks that frame pointers cannot walk.
#[cold]
#[inline(never)]
pub fn walk(captured: &mut Captured, root: *const ()) {
    let mut outside = false;
    for_each(|frame| {
        if outside {
            return captured.push(frame.ip().addr());
        }
        outside = is_of(frame, root);
        true
    });
    if !outside {
        captured.clear();
        // The system does not tell where functions begin: then with the frames of ours.
        for_each(|frame| captured.push(frame.ip().addr()));
    }
}

fn is_of(frame: &Frame, function: *const ()) -> bool {
    frame.symbol_address().addr() == function.addr()
}

/// Whether the unwinder sees the frames of `chain`, innermost first, right outside of that of the function `root`, and no more than
/// `outermost` others beyond; any number, where the chain was `cut`.
#[cold]
#[inline(never)]
pub fn agrees(chain: impl Iterator<Item = usize>, root: *const (), cut: bool, outermost: usize) -> bool {
    let mut chain = chain.peekable();
    let mut outside = false;
    let mut beyond = 0;
    let mut agrees = chain.peek().is_some();
    for_each(|frame| {
        if !outside {
            outside = is_of(frame, root);
            return true;
        }
        match chain.next() {
            Some(address) => agrees = address == frame.ip().addr(),
            None => beyond += 1,
        }
        agrees && (chain.peek().is_some() || (!cut && beyond <= outermost))
    });
    agrees && chain.next().is_none() && (cut || beyond <= outermost)
}

/// Calls `visit` with frames, innermost first, as long as it says true. The unwinder may allocate: that is not traced.
fn for_each(mut visit: impl FnMut(&Frame) -> bool) {
    let _pause = thread::pause();
    // SAFETY: the unsynchronised form shares no state between threads as long as nothing is resolved, and it takes no
    // lock, which an allocation inside the symboliser would otherwise wait for.
    unsafe { backtrace::trace_unsynchronized(|frame| visit(frame)) };
}
