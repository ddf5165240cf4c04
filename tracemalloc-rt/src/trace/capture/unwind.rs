//! Walks a stack by unwind tables.

#[cfg_attr(any(not(target_os = "linux"), target_arch = "arm"), path = "unwind/elsewhere.rs")]
mod unwinder;

use crate::trace::capture::captured::Captured;
use unwinder::{Frame, for_each};

/// Captures the frames outside of the function `root`. This is slow, and only for stacks that frame
/// pointers cannot walk.
#[cold]
#[inline(never)]
pub fn walk(captured: &mut Captured, root: *const ()) {
    let mut outside = false;
    for_each(|frame| {
        if outside {
            return captured.push(frame.address());
        }
        outside = is_of(frame, root);
        true
    });
    if !outside {
        captured.clear();
        // The system does not tell where functions begin: then our own frames are among them.
        for_each(|frame| captured.push(frame.address()));
    }
}

/// The return addresses of all frames, those of this function and of the unwinder included.
#[cfg(test)]
pub fn all_addresses() -> Vec<usize> {
    let mut addresses = Vec::new();
    for_each(|frame| {
        addresses.push(frame.address());
        true
    });
    addresses
}

/// The stack pointer of the function that has called `function` on this thread. `None` if
/// `function` is not running, or if the system does not tell where functions begin.
#[cold]
#[inline(never)]
pub fn stack_pointer_of_caller(function: *const ()) -> Option<usize> {
    let (mut outside, mut found) = (false, None);
    for_each(|frame| {
        if outside {
            found = Some(frame.stack_pointer());
            return false;
        }
        outside = is_of(frame, function);
        true
    });
    found
}

fn is_of(frame: &Frame<'_>, function: *const ()) -> bool {
    frame.function() == function.addr()
}

/// Whether the unwinder sees the frames of `chain`, innermost first, right outside of the function
/// `root`, and then at most `outermost` other frames. If the chain was `cut`, any number may
/// follow.
#[cold]
#[inline(never)]
pub fn agrees(
    chain: impl Iterator<Item = usize>,
    root: *const (),
    cut: bool,
    outermost: usize,
) -> bool {
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
            Some(address) => agrees = address == frame.address(),
            None => beyond += 1,
        }
        agrees && (chain.peek().is_some() || (!cut && beyond <= outermost))
    });
    agrees && chain.next().is_none() && (cut || beyond <= outermost)
}
