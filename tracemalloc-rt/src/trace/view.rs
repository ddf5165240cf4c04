//! The program's own view: what Python's `tracemalloc` module keeps, of the blocks that the program
//! has asked to trace.
//!
//! The harness of `cargo tracemalloc test` may be tracing for itself at the same time. Each block
//! says whether it is in the view; to stop or to clear takes all blocks out of it, and leaves
//! everything else as it is. Bytes in the view are the sum of the sizes of the blocks that say so,
//! at any moment: each of the two only changes together with the other.

use core::sync::atomic::{AtomicI64, AtomicU32, AtomicUsize, Ordering};

use crate::allocator;
use crate::allocator::{FOR_HARNESS, FOR_PROGRAM, TRACING};
use crate::os::spin_lock::SpinLock;
use crate::trace::capture::{self, Walk};
use crate::trace::shadow::{self, Block};
use crate::trace::stack_id::{FRAMES_OF_STD, MAX_DEPTH, StackId};
use crate::trace::{environment, fork, thread};

/// One of those who start, stop, clear and look at a time.
static CONTROL: SpinLock<()> = SpinLock::new(());
static BYTES: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);
static LIMIT: AtomicU32 = AtomicU32::new(1);
/// How many frames checks want.
static DEPTH_OF_CHECKS: AtomicUsize = AtomicUsize::new(0);
/// How the harness wants stacks to be walked, and how many frames, where it traces.
static OF_HARNESS: SpinLock<Option<(Walk, usize)>> = SpinLock::new(None);

/// A block was added to the view.
#[inline(always)]
pub fn grew(size: usize) {
    let bytes = BYTES.fetch_add(size as i64, Ordering::Relaxed) + size as i64;
    if bytes > PEAK.load(Ordering::Relaxed) {
        PEAK.fetch_max(bytes, Ordering::Relaxed);
    }
}

/// A block in the view has gone.
#[inline(always)]
pub fn shrank(size: usize) {
    BYTES.fetch_sub(size as i64, Ordering::Relaxed);
}

/// Whether the program traces.
pub fn is_tracing() -> bool {
    environment::decided() & FOR_PROGRAM != 0
}

/// Begins an empty view, with tracebacks of at most `limit` frames. Does nothing while there is
/// one.
pub fn start(limit: u32) {
    if is_tracing() {
        return;
    }
    let _control = CONTROL.lock();
    // Another thread may have been quicker.
    if TRACING.load(Ordering::Relaxed) & FOR_PROGRAM != 0 {
        return;
    }
    LIMIT.store(limit, Ordering::Relaxed);
    empty();
    prepare();
    configure(*OF_HARNESS.lock(), Some(limit));
    TRACING.fetch_or(FOR_PROGRAM, Ordering::AcqRel);
}

/// Ends the view.
pub fn stop() {
    if !is_tracing() {
        return;
    }
    let _control = CONTROL.lock();
    TRACING.fetch_and(!FOR_PROGRAM, Ordering::AcqRel);
    empty();
    configure(*OF_HARNESS.lock(), None);
}

/// Takes every block out of the view.
pub fn clear() {
    if is_tracing() {
        let _control = CONTROL.lock();
        empty();
    }
}

/// Bytes in the view now, and the most that they have been.
pub fn traced_memory() -> (u64, u64) {
    if !is_tracing() {
        return (0, 0);
    }
    let bytes = BYTES.load(Ordering::Relaxed);
    let peak = PEAK.load(Ordering::Relaxed).max(bytes);
    // Below zero for the moment in which another thread has cleared a block that is just being
    // added.
    (bytes.max(0) as u64, peak.max(0) as u64)
}

/// The peak is what is traced now.
pub fn reset_peak() {
    let _control = CONTROL.lock();
    level_peak();
}

/// The most frames of a traceback; of the last start, where the program does not trace.
pub fn limit() -> u32 {
    LIMIT.load(Ordering::Relaxed)
}

/// Adds a block of any domain to what is traced. For a harness that measures it counts even when
/// the program does not trace.
#[inline(always)]
pub fn track(domain: u32, address: usize, size: usize) -> Result<(), Untracked> {
    let tracing = environment::decided();
    if tracing != 0 && !allocator::track(domain, address, size, tracing) {
        return Err(Untracked::NoMemory);
    }
    if tracing & FOR_PROGRAM != 0 { Ok(()) } else { Err(Untracked::NotTracing) }
}

/// Takes a block of any domain out.
pub fn untrack(domain: u32, address: usize) -> Result<(), Untracked> {
    allocator::untrack(domain, address);
    if is_tracing() { Ok(()) } else { Err(Untracked::NotTracing) }
}

/// Why a block is not tracked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untracked {
    NotTracing,
    NoMemory,
}

/// The stack of the allocator's block that `address` points to or into.
pub fn stack_of(address: usize) -> Option<StackId> {
    if !is_tracing() {
        return None;
    }
    let _control = CONTROL.lock();
    shadow::get_in_view(address).map(|block| block.id)
}

/// Calls `visit` with domain, size and stack of each block in the view, and says whether the
/// program traces. Blocks that live through the call are all there, once; what other threads
/// allocate or free meanwhile may be there or not.
pub fn for_each(visit: &mut impl FnMut(u32, u64, StackId)) -> bool {
    if !is_tracing() {
        return false;
    }
    let _pause = thread::pause();
    let _control = CONTROL.lock();
    shadow::for_each_in_view(&mut |domain, _, block| visit(domain, block.size as u64, block.id));
    true
}

/// Records for the harness, or not, whatever the program does.
pub fn set_harness(wanted: Option<(Walk, usize)>) {
    prepare();
    *OF_HARNESS.lock() = wanted;
    configure(wanted, is_tracing().then(limit));
    match wanted {
        Some(_) => TRACING.fetch_or(FOR_HARNESS, Ordering::AcqRel),
        None => TRACING.fetch_and(!FOR_HARNESS, Ordering::AcqRel),
    };
}

/// Walks stacks to this depth at least from now on, for checks.
pub fn deepen_for_checks(depth: usize) {
    prepare();
    if DEPTH_OF_CHECKS.fetch_max(depth, Ordering::AcqRel) < depth {
        let _control = CONTROL.lock();
        let tracing = TRACING.load(Ordering::Relaxed) & FOR_PROGRAM != 0;
        configure(*OF_HARNESS.lock(), tracing.then(limit));
    }
}

pub fn before_fork() {
    CONTROL.acquire();
    OF_HARNESS.acquire();
}

pub fn after_fork() {
    OF_HARNESS.release();
    CONTROL.release();
}

fn prepare() {
    fork::prepare();
    shadow::prepare();
}

/// Takes every block out of the view. What is added meanwhile stays, and is counted.
fn empty() {
    shadow::clear_view(&mut |block: Block| shrank(block.size));
    level_peak();
}

fn level_peak() {
    PEAK.store(BYTES.load(Ordering::Relaxed), Ordering::Relaxed);
    // What was added between the two must not be above the peak.
    PEAK.fetch_max(BYTES.load(Ordering::Relaxed), Ordering::Relaxed);
}

/// Walks as the harness says, where it traces; and as deep as all want.
fn configure(of_harness: Option<(Walk, usize)>, limit: Option<u32>) {
    let (walk, depth) = of_harness.unwrap_or((Walk::Either, 1));
    let of_program = limit.map_or(0, |limit| limit as usize + FRAMES_OF_STD);
    let depth = depth.max(of_program).max(DEPTH_OF_CHECKS.load(Ordering::Relaxed));
    capture::configure(walk, depth.min(MAX_DEPTH), limit.is_some());
}
