//! Live bytes and blocks by stack, and their changes between two moments.
//!
//! Verdicts are made of these changes.

use core::sync::atomic::Ordering;

use crate::trace::capture::Walk;
use crate::trace::ledger::Balance;
use crate::trace::stack_id::StackId;
use crate::trace::state::{FOR_HARNESS, MISSED, TRACING};
use crate::trace::{control, shadow, thread};

/// Starts to record allocations, at least `depth` physical frames each (1 to
/// [`MAX_DEPTH`](crate::trace::stack_id::MAX_DEPTH)), whether the program traces for itself or not.
/// Blocks that exist already stay unknown, and freeing them is harmless.
pub fn start(walk: Walk, depth: usize) {
    #[cfg(all(target_os = "linux", not(miri)))]
    crate::os::proc_dir::keep();
    control::set_harness(Some((walk, depth)));
}

/// Stops recording. Known blocks are still forgotten when they are freed.
pub fn stop() {
    control::set_harness(None);
}

/// Bytes and blocks that are live, for every stack.
#[derive(Debug, Clone, Default)]
pub struct Live {
    by_stack: Vec<Balance>,
}

/// The change of one stack's live blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The stack that allocated them.
    pub stack: StackId,
    /// Bytes, negative where there are fewer now.
    pub bytes: i64,
    /// Blocks, negative where there are fewer now.
    pub blocks: i64,
}

impl Live {
    /// Sums up all ledgers. The cost depends on the number of contexts, not of blocks. While other
    /// threads allocate, a block that one thread frees and another has allocated may be counted on
    /// one side only.
    pub fn now() -> Self {
        let _pause = thread::pause();
        Self { by_stack: thread::totals() }
    }

    /// Every stack whose bytes or blocks differ from `before`, in the order of their first
    /// allocation.
    pub fn changes_since(&self, before: &Self) -> Vec<Change> {
        let _pause = thread::pause();
        let mut changes = Vec::new();
        for (index, now) in self.by_stack.iter().enumerate().skip(1) {
            let then = before.by_stack.get(index).copied().unwrap_or_default();
            if *now != then {
                changes.push(Change {
                    stack: StackId(index as u32),
                    bytes: now.bytes - then.bytes,
                    blocks: now.blocks - then.blocks,
                });
            }
        }
        changes
    }
}

/// Calls `visit` with what is live of each stack of all threads. False if a harness does not record
/// all blocks.
pub fn for_each_stack(visit: &mut dyn FnMut(Change)) -> bool {
    if TRACING.flags() & FOR_HARNESS == 0 {
        return false;
    }
    Live::now().changes_since(&Live::default()).into_iter().for_each(visit);
    true
}

/// How many blocks could not be recorded so far, because the tracer had no memory for them.
pub fn missed() -> u64 {
    MISSED.load(Ordering::Relaxed)
}

/// A live block, wherever it was allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveBlock {
    /// 0 is that of the global allocator, and 1 that of the C library.
    pub domain: u32,
    /// Of its first byte.
    pub address: usize,
    /// In bytes.
    pub size: usize,
    /// The stack that allocated it.
    pub stack: StackId,
}

/// Calls `visit` with every live block, in no order. What other threads allocate or free meanwhile
/// may be there or not, and its size may be that of another block at the same address.
pub fn for_each_block(mut visit: impl FnMut(LiveBlock)) {
    let _pause = thread::pause();
    shadow::for_each(&mut |domain, address, block| {
        if block.id != StackId::OURS {
            let domain = shadow::domain(domain, block);
            visit(LiveBlock { domain, address, size: block.size, stack: block.id });
        }
    });
}
