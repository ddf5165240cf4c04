//! Starts, stops and clears tracing, and reads the program's view.
//!
//! The harness, the program and its checks trace independently of each other. To stop or to clear
//! the program's view takes all blocks out of the view, and leaves everything else as it is.

use crate::os::fork::hold_innermost;
use crate::trace::capture::{self, Walk, settings};
use crate::trace::shadow::{self, Block};
use crate::trace::stack_id::StackId;
use crate::trace::state::{FOR_HARNESS, FOR_PROGRAM, SAMPLED, TRACING, UNDECIDED};
use crate::trace::{environment, fork, sampling, thread, view};

/// For which callers allocations are recorded, after the environment has been read.
pub fn decided() -> u8 {
    let tracing = TRACING.flags();
    if tracing & UNDECIDED == 0 { tracing } else { decide() }
}

/// Reads the environment, once. Ends the process where the variable has no valid number.
#[cold]
fn decide() -> u8 {
    // Of several threads the first one decides; before it has, others record nothing.
    if TRACING.remove(UNDECIDED) & UNDECIDED != 0 {
        if let Some((nframe, interval)) = environment::settings() {
            start(nframe, interval);
        }
    }
    TRACING.word_and_what_it_covers().flags()
}

/// Whether the program traces.
pub fn is_tracing() -> bool {
    decided() & FOR_PROGRAM != 0
}

/// Begins an empty view, with tracebacks of at most `limit` frames. With an interval that is not 0,
/// the view has only the blocks in which a sampled byte lies, one in so many. Does nothing while
/// there is a view.
pub fn start(limit: u32, interval: u64) {
    if is_tracing() {
        return;
    }
    let _access = view::ACCESS.lock();
    // Another thread may have been quicker.
    if TRACING.flags() & FOR_PROGRAM != 0 {
        return;
    }
    view::set_limit(limit);
    empty();
    prepare();
    settings::set_program(Some(limit));
    sampling::set_interval(interval);
    TRACING.add(if interval == 0 { FOR_PROGRAM } else { FOR_PROGRAM | SAMPLED });
}

/// Ends the view.
pub fn stop() {
    if !is_tracing() {
        return;
    }
    let _access = view::ACCESS.lock();
    TRACING.remove(FOR_PROGRAM | SAMPLED);
    empty();
    settings::set_program(None);
}

/// Takes every block out of the view.
pub fn clear() {
    if is_tracing() {
        let _access = view::ACCESS.lock();
        empty();
    }
}

/// Bytes in the view now, and the most that they have been.
pub fn traced_memory() -> (u64, u64) {
    if is_tracing() { view::bytes_and_peak() } else { (0, 0) }
}

/// Sets the peak to the bytes that are traced now.
pub fn reset_peak() {
    let _access = view::ACCESS.lock();
    view::level_peak();
}

/// The stack of the allocator's block that `address` points to or into.
pub fn stack_of(address: usize) -> Option<StackId> {
    if !is_tracing() {
        return None;
    }
    let _access = view::ACCESS.lock();
    shadow::get_in_view(address).map(|block| block.id)
}

/// Calls `visit` with domain, size and stack of each block in the view. Returns whether the program
/// traces. Blocks that live through the call are all there, once; what other threads allocate or
/// free meanwhile may be there or not.
pub fn for_each(visit: &mut impl FnMut(u32, u64, StackId)) -> bool {
    if !is_tracing() {
        return false;
    }
    let _pause = thread::pause();
    let _access = view::ACCESS.lock();
    shadow::for_each_in_view(&mut |domain, _, block| {
        visit(shadow::domain(domain, block), block.size as u64, block.id);
    });
    true
}

/// Records for the harness, or not, whatever the program does.
pub fn set_harness(wanted: Option<(Walk, usize)>) {
    prepare();
    // The environment is read first: it may start the program's own tracing.
    decided();
    settings::set_harness(wanted);
    match wanted {
        Some(_) => TRACING.add(FOR_HARNESS),
        None => {
            TRACING.remove(FOR_HARNESS);
        }
    }
}

/// Walks stacks to this depth at least from now on, for checks.
pub fn deepen_for_checks(depth: usize) {
    prepare();
    settings::deepen_for_checks(depth);
}

/// The mean distance of sampled bytes in the view, or 0.
pub fn sample_interval() -> u64 {
    if decided() & SAMPLED != 0 { sampling::interval() } else { 0 }
}

fn prepare() {
    hold_innermost(&fork::LOCKS);
    capture::prepare();
    shadow::prepare();
}

/// Takes every block out of the view. A block that is added meanwhile stays, and is counted.
fn empty() {
    let (mut cleared, mut extra) = (0, 0);
    shadow::clear_view(&mut |domain, block: Block| {
        cleared += block.size;
        extra += shadow::extra_in_view(domain, block);
    });
    thread::shrank_view(cleared, extra);
    view::level_empty();
}
