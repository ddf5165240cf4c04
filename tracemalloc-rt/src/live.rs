//! What is live now, by stack, and what has changed since: what a verdict is made of.

use core::sync::atomic::Ordering;

use crate::alloc::{MISSED, TRACING};
use crate::capture::{self, Walk};
use crate::ledger::Balance;
use crate::stacks::StackId;
use crate::{fork, shadow, stacks, thread};

/// Starts to record allocations, `depth` physical frames each (1 to [`MAX_DEPTH`](crate::MAX_DEPTH)). Blocks that exist
/// already stay unknown, and freeing them is harmless.
pub fn start(walk: Walk, depth: usize) {
    fork::prepare();
    shadow::prepare();
    capture::configure(walk, depth);
    TRACING.store(true, Ordering::Release);
}

/// Stops recording. Blocks that are known are still forgotten when they are freed.
pub fn stop() {
    TRACING.store(false, Ordering::Release);
}

/// Bytes and blocks that are live, for every stack.
#[derive(Debug, Clone, Default)]
pub struct Live {
    by_stack: Vec<Balance>,
}

/// What the blocks of one stack have changed by.
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
    /// What is live now. Costs by the number of stacks, not of blocks. While other threads allocate, a block that one
    /// frees and another has allocated may be counted on one side only.
    pub fn now() -> Self {
        let _pause = thread::pause();
        Self { by_stack: thread::totals() }
    }

    /// Every stack whose bytes or blocks differ from `before`, in the order of their first allocation.
    pub fn changes_since(&self, before: &Self) -> Vec<Change> {
        let _pause = thread::pause();
        let mut changes = Vec::new();
        for (index, now) in self.by_stack.iter().enumerate() {
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

/// How many blocks could not be recorded so far because the tracer had no memory for them.
pub fn missed() -> u64 {
    MISSED.load(Ordering::Relaxed)
}

/// The return addresses of a stack, innermost first.
pub fn addresses(stack: StackId) -> &'static [usize] {
    stacks::addresses(stack)
}
