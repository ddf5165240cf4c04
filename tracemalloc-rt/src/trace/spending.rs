//! The spending of stacks: all that they have allocated, whether it was freed or not.
//!
//! Only stacks of scopes that count their spending have an account here. It never shrinks while
//! the scope runs. Unlike a thread's ledger, all threads share it.

use crate::trace::ledger::{Balance, Ledger};
use crate::trace::stack_id::StackId;
use crate::trace::state::MISSED;

use core::sync::atomic::Ordering;

static SPENT: Ledger = Ledger::new();

/// Counts an allocation.
pub fn add(stack: StackId, size: usize) {
    if !SPENT.add_shared(stack, size as i64, 1) {
        MISSED.fetch_add(1, Ordering::Relaxed);
    }
}

/// The bytes and the number of all allocations of a stack.
pub fn of(stack: StackId) -> Balance {
    SPENT.balance(stack)
}

/// Sets a stack's account to 0. No thread may allocate from the stack meanwhile.
pub fn clear(stack: StackId) {
    let Balance { bytes, blocks } = of(stack);
    if blocks != 0 {
        SPENT.add_shared(stack, -bytes, -blocks);
    }
}
