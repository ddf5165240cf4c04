//! The scope of a check, which tells its blocks from all others of the process.
//!
//! While a check runs, its thread has the number of a scope, and so have threads that it starts. A
//! stack that is walked meanwhile is a stack of that scope: the same frames in another scope are
//! another stack. So the sum of the ledgers over the stacks of a scope is exactly the live memory
//! of the check's allocations, whichever thread frees them.
//!
//! A check inside a check is a scope inside a scope. What the inner scope leaves counts in the
//! outer one, too.
//!
//! A scope may count its spending: all allocations, freed or not. Ended scopes inside of it then
//! keep their numbers until it ends, so that their stacks are still known.
//!
//! Stacks are kept for ever, so numbers of scopes are used again. That needs three things: the
//! check is over, none of its threads runs, and nothing that it allocated is live. Any other number
//! is never used again, and what its threads still allocate counts nowhere.

use core::sync::atomic::Ordering;

use crate::trace::ledger::Balance;
use crate::trace::scope_table::{self, Counts, NUMBERS, threads};
use crate::trace::spending;
use crate::trace::stack_id::StackId;
use crate::trace::state::{FOR_CHECKS, TRACING};
use crate::trace::{contexts, control, thread};

/// Makes a scope inside that of the current thread, which does not enter it yet. Returns 0 if there
/// is no memory. From now on, stacks are walked at least this deep.
pub fn begin(depth: usize, counts: Counts) -> u32 {
    control::decided();
    control::deepen_for_checks(depth);
    let mut numbers = NUMBERS.lock();
    let Some((number, scope)) = numbers.take() else { return 0 };
    scope.outer.store(thread::scope(), Ordering::Relaxed);
    scope.begin_counting(counts);
    if scope_table::counts_spending(number) {
        // The number may have been that of another scope.
        contexts::stacks_of_scope(number).for_each(spending::clear);
    }
    numbers.running += 1;
    TRACING.add(FOR_CHECKS);
    number
}

/// The scope of repeated runs. Its number is larger than that of any check.
const REPEATS: u32 = u32::MAX;

/// Blocks that the current thread allocates from now on, and those of new threads, have other
/// stacks than those of the same frames before. So a later run that frees blocks of the first one
/// changes those stacks alone.
pub fn enter_repeats() {
    thread::enter_scope(REPEATS);
    thread::begin_in_scope(REPEATS);
}

/// Ends a check's scope. Its number is used again if nothing is left of it.
pub fn end(number: u32) {
    let Some(scope) = scope_table::scope(number) else { return };
    let mut numbers = NUMBERS.lock();
    scope.end_counting();
    numbers.running -= 1;
    if numbers.running == 0 {
        TRACING.remove(FOR_CHECKS);
    }
    let outer = scope.outer.load(Ordering::Relaxed);
    if is_empty(number) && !scope_table::counts_spending(outer) {
        numbers.release(number);
    } else if let Some(outer) = scope_table::scope(outer) {
        scope.next.store(outer.inner.load(Ordering::Relaxed), Ordering::Relaxed);
        outer.inner.store(number, Ordering::Release);
    }
}

/// Calls `visit` with each stack of a scope, and of ended scopes inside of it, and what is live of
/// the stack. Stacks that allocated nothing are among them.
pub fn for_each(number: u32, visit: &mut dyn FnMut(StackId, Balance)) {
    for_each_stack(number, &mut |stack| visit(stack, thread::total(stack)));
}

/// Calls `visit` with each stack that has allocated in a scope that counts its spending, or in an
/// ended one inside of it, and with all that the stack has allocated.
pub fn for_each_spending(number: u32, visit: &mut dyn FnMut(StackId, Balance)) {
    for_each_stack(number, &mut |stack| {
        let spent = spending::of(stack);
        if spent.blocks > 0 {
            visit(stack, spent);
        }
    });
}

fn for_each_stack(number: u32, visit: &mut dyn FnMut(StackId)) {
    let Some(scope) = scope_table::scope(number) else { return };
    contexts::stacks_of_scope(number).for_each(&mut *visit);
    let mut inner = scope.inner.load(Ordering::Acquire);
    while let Some(scope) = scope_table::scope(inner) {
        for_each_stack(inner, visit);
        inner = scope.next.load(Ordering::Relaxed);
    }
}

/// Whether nothing of a scope is live, and none of its threads runs.
fn is_empty(number: u32) -> bool {
    let mut live = false;
    for_each(number, &mut |_, balance| live |= balance != Balance::default());
    !live && threads(number) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEAK: Counts = Counts { peak: true, spending: false };
    const SPENDING: Counts = Counts { peak: false, spending: true };

    /// A stack of a scope.
    fn stack(scope: u32) -> StackId {
        let root = contexts::root(scope, 0).expect("there is memory");
        root.call(0x5C0E).expect("there is memory").stack_id()
    }

    fn live(scope: u32) -> (i64, i64) {
        let mut sum = (0, 0);
        for_each(scope, &mut |_, balance| sum = (sum.0 + balance.bytes, sum.1 + balance.blocks));
        sum
    }

    #[test]
    fn blocks_that_an_inner_scope_leaves_belong_to_the_outer_one_too() {
        let outer = begin(1, Counts::default());
        let before = thread::enter_scope(outer);
        let inner = begin(1, Counts::default());
        let (of_inner, of_outer) = (stack(inner), stack(outer));
        assert!(thread::add(of_outer, 100, 1) && thread::add(of_inner, 24, 1));
        assert_eq!((live(outer), live(inner)), ((100, 1), (24, 1)));
        end(inner);
        assert_eq!(live(outer), (124, 2));
        // Any thread may free them.
        std::thread::scope(|scope| {
            scope.spawn(|| assert!(thread::add(of_inner, -24, -1)));
        });
        assert_eq!(live(outer), (100, 1));
        assert!(thread::add(of_outer, -100, -1));
        thread::enter_scope(before);
        end(outer);
    }

    #[test]
    fn a_number_is_used_again_only_if_nothing_is_left_of_its_scope() {
        let kept = begin(1, Counts::default());
        assert!(thread::add(stack(kept), 8, 1));
        end(kept);
        let later: Vec<u32> = (0..20).map(|_| begin(1, Counts::default())).collect();
        assert!(!later.contains(&kept), "{later:?}");
        later.iter().for_each(|number| end(*number));
        assert!(later.iter().all(|number| *number != 0 && live(*number) == (0, 0)));
        assert_eq!(live(kept), (8, 1));
    }

    #[test]
    fn a_peak_is_the_most_bytes_of_a_scope_and_those_inside_of_it() {
        let outer = begin(1, PEAK);
        let before = thread::enter_scope(outer);
        let inner = begin(1, PEAK);
        for (scope, size) in [(outer, 100), (inner, 50), (inner, -50), (outer, -100), (inner, 70)] {
            scope_table::count_bytes(stack(scope), size);
        }
        assert_eq!((scope_table::peak(outer), scope_table::peak(inner)), (150, 70));
        thread::enter_scope(before);
        end(inner);
        end(outer);
    }

    /// Bytes and number of the allocations of a scope.
    fn spent(scope: u32) -> (i64, i64) {
        let mut sum = (0, 0);
        let mut add = |_, spent: Balance| sum = (sum.0 + spent.bytes, sum.1 + spent.blocks);
        for_each_spending(scope, &mut add);
        sum
    }

    #[test]
    fn spending_is_all_that_a_scope_and_those_inside_of_it_allocate() {
        let outer = begin(1, SPENDING);
        let before = thread::enter_scope(outer);
        let numbers: Vec<u32> = [10, 20, 30]
            .map(|size| {
                let inner = begin(1, Counts::default());
                scope_table::count_allocation(stack(inner), size);
                end(inner);
                inner
            })
            .to_vec();
        scope_table::count_allocation(stack(outer), 100);
        assert_eq!(spent(outer), (160, 4), "{numbers:?}");
        thread::enter_scope(before);
        end(outer);
    }

    #[test]
    fn a_number_that_is_used_again_has_spent_nothing() {
        for _ in 0..20 {
            let scope = begin(1, SPENDING);
            assert_eq!(spent(scope), (0, 0), "{scope}");
            scope_table::count_allocation(stack(scope), 7);
            assert_eq!(spent(scope), (7, 1));
            end(scope);
        }
    }

    #[test]
    fn scopes_that_do_not_count_their_spending_have_none() {
        let (counting, other) = (begin(1, SPENDING), begin(1, PEAK));
        scope_table::count_allocation(stack(other), 7);
        assert_eq!((spent(counting), spent(other)), ((0, 0), (0, 0)));
        end(other);
        end(counting);
    }

    #[test]
    fn threads_count_in_their_scope_and_outside_of_it() {
        let outer = begin(1, Counts::default());
        let before = thread::enter_scope(outer);
        let inner = begin(1, Counts::default());
        scope_table::count_thread(inner, true);
        assert_eq!((threads(outer), threads(inner)), (1, 1));
        std::thread::spawn(move || {
            thread::hand_down(inner);
            assert_eq!(thread::scope(), inner);
            assert_eq!((threads(outer), threads(inner)), (1, 1));
        })
        .join()
        .expect("no panic");
        if cfg!(unix) {
            assert_eq!((threads(outer), threads(inner)), (0, 0));
        }
        thread::enter_scope(before);
        end(inner);
        end(outer);
    }
}
