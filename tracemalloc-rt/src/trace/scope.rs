//! Scopes: what one check allocates, told from everything else that happens in the process.
//!
//! While a check runs, the state of its thread holds the number of a scope, and so does that of
//! threads that it starts. A stack that is walked meanwhile is a stack of that scope, another one
//! than the same frames outside. So the ledgers' sum over the stacks of a scope is exactly what is
//! live of what the check allocated, whichever thread frees it.
//!
//! A check inside a check is a scope inside a scope: what the inner one has left is the outer one's
//! too.
//!
//! Stacks are kept for ever, so numbers are used again: once the check is over, none of its threads
//! runs, and nothing that it allocated is live. Another number is never used again, and what its
//! threads still allocate is nobody's.

use core::sync::atomic::Ordering;

use crate::trace::ledger::Balance;
use crate::trace::scope_table::{self, NUMBERS, threads};
use crate::trace::stack_id::StackId;
use crate::trace::state::{FOR_CHECKS, TRACING};
use crate::trace::{contexts, control, thread};

/// A new scope inside that of the current thread, which does not enter it yet; 0 where there is no
/// memory for one. Stacks are walked to this depth at least from now on.
pub fn begin(depth: usize, counts_peak: bool) -> u32 {
    control::decided();
    control::deepen_for_checks(depth);
    let mut numbers = NUMBERS.lock();
    let Some((number, scope)) = numbers.take() else { return 0 };
    scope.outer.store(thread::scope(), Ordering::Relaxed);
    scope.begin_counting(counts_peak);
    numbers.running += 1;
    TRACING.fetch_or(FOR_CHECKS, Ordering::AcqRel);
    number
}

/// Ends a check's scope. Its number is used again if nothing is left of it.
pub fn end(number: u32) {
    let Some(scope) = scope_table::scope(number) else { return };
    let mut numbers = NUMBERS.lock();
    scope.end_counting();
    numbers.running -= 1;
    if numbers.running == 0 {
        TRACING.fetch_and(!FOR_CHECKS, Ordering::AcqRel);
    }
    if is_empty(number) {
        numbers.release(number);
    } else if let Some(outer) = scope_table::scope(scope.outer.load(Ordering::Relaxed)) {
        scope.next.store(outer.inner.load(Ordering::Relaxed), Ordering::Relaxed);
        outer.inner.store(number, Ordering::Release);
    }
}

/// Calls `visit` with what is live of each stack of a scope, and of those inside of it that are
/// over; paths that nothing was allocated by are among them.
pub fn for_each(number: u32, visit: &mut dyn FnMut(StackId, Balance)) {
    let Some(scope) = scope_table::scope(number) else { return };
    for stack in contexts::stacks_of_scope(number) {
        visit(stack, thread::total(stack));
    }
    let mut inner = scope.inner.load(Ordering::Acquire);
    while let Some(scope) = scope_table::scope(inner) {
        for_each(inner, visit);
        inner = scope.next.load(Ordering::Relaxed);
    }
}

/// Whether nothing is live of a scope, and none of its threads runs.
fn is_empty(number: u32) -> bool {
    let mut live = false;
    for_each(number, &mut |_, balance| live |= balance != Balance::default());
    !live && threads(number) == 0
}
