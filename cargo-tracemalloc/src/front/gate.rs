//! The gate through which tests run: some at a time, and at the end those that failed, alone.
//!
//! Tests of one binary may share a file, a port, or a lock in a static that is meant for one
//! process. Beside each other, they fail. Alone they pass, as under `cargo test`.

use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;
use std::time::Duration;

/// The number of failed tests that can wait for their turn. Each one blocks a thread.
const MOST_WAITING: usize = 64;

/// The time after which a failed test waits no longer while no test runs or ends. Between two tests
/// there is no work, so this happens only where threads are missing.
const MOST_IDLE: Duration = Duration::from_secs(30);

/// The gate of one binary's tests.
#[derive(Debug)]
pub struct Gate {
    /// The number of tests that may run at once.
    width: usize,
    most_idle: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Tests whose first attempt has not ended: one for each ticket.
    left: usize,
    /// Tests whose first attempt has ended.
    ended: usize,
    running: usize,
    waiting: usize,
    alone: bool,
}

/// The right to a first attempt. libtest-mimic drops those of tests that it does not run.
#[derive(Debug)]
pub struct Ticket(Arc<Gate>);

/// The end of a first attempt.
#[derive(Debug)]
pub struct Attempt<T> {
    /// Its result.
    pub result: T,
    /// Whether another test ran at the same time.
    pub had_company: bool,
}

impl Gate {
    /// A gate. `width` is `--test-threads`.
    pub fn new(width: Option<usize>) -> Self {
        let width = width.or_else(|| available_parallelism().ok().map(NonZeroUsize::get));
        Self {
            width: width.unwrap_or(1),
            most_idle: MOST_IDLE,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// The number of threads that call the gate for this many tests: those that run tests, and
    /// those that wait.
    pub fn threads(&self, tests: usize) -> usize {
        if self.width == 1 { 1 } else { self.width + tests.min(MOST_WAITING) }
    }

    /// A ticket for one test. Failed tests wait until no ticket is left.
    pub fn ticket(self: &Arc<Self>) -> Ticket {
        self.lock().left += 1;
        Ticket(Arc::clone(self))
    }

    /// Makes the first attempt at a test, once there is room.
    pub fn first<T>(&self, ticket: Ticket, run: impl FnOnce() -> T) -> Attempt<T> {
        let mut state = self.wait_while(|state| state.running >= self.width);
        state.running += 1;
        // Every test that starts or runs meanwhile is company.
        let before = state.ended;
        let beside = state.running > 1;
        drop(state);
        let running = OnDrop(|| {
            self.change(|state| {
                (state.running, state.ended) = (state.running - 1, state.ended + 1)
            });
        });
        let result = run();
        let state = self.lock();
        let had_company = beside || state.running > 1 || state.ended > before;
        drop(state);
        drop((running, ticket));
        Attempt { result, had_company }
    }

    /// Runs a test again when all first attempts have ended, beside no other test. `None` if too
    /// many tests wait for that, or if the first attempts do not go on.
    pub fn alone<T>(&self, run: impl FnOnce() -> T) -> Option<T> {
        let mut state = self.lock();
        if self.width == 1 || state.waiting >= MOST_WAITING {
            return None;
        }
        state.waiting += 1;
        while state.left > 0 || state.alone {
            let before = state.ended;
            let woken = self.changed.wait_timeout(state, self.most_idle);
            let (woken, timeout) = woken.unwrap_or_else(PoisonError::into_inner);
            state = woken;
            let is_idle = state.running == 0 && !state.alone && state.ended == before;
            if timeout.timed_out() && is_idle && state.left > 0 {
                state.waiting -= 1;
                return None;
            }
        }
        state.alone = true;
        drop(state);
        let _alone = OnDrop(|| self.change(|state| state.alone = false));
        Some(run())
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(&self, condition: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let state = self.lock();
        let woken = self.changed.wait_while(state, |state| condition(state));
        woken.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.change(|state| state.left -= 1);
    }
}

/// Calls a function when it is dropped, also by a panic.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn a_test_waits_for_all_first_attempts_and_then_runs_alone() {
        let (gate, both) = (Arc::new(Gate::new(Some(2))), Barrier::new(2));
        let mut tickets: Vec<Ticket> = (0..3).map(|_| gate.ticket()).collect();
        let (gate, both) = (&gate, &both);
        std::thread::scope(|scope| {
            for ticket in [tickets.remove(0), tickets.remove(0)] {
                scope.spawn(move || {
                    assert!(gate.first(ticket, || both.wait()).had_company);
                    assert_eq!(gate.alone(|| gate.lock().left), Some(0));
                });
            }
            scope.spawn(move || gate.first(tickets.remove(0), || ()));
        });
    }

    #[test]
    fn one_thread_runs_no_test_twice() {
        let gate = Arc::new(Gate::new(Some(1)));
        assert_eq!(gate.threads(2), 1);
        assert!(!gate.first(gate.ticket(), || ()).had_company);
        assert_eq!(gate.alone(|| ()), None);
    }

    #[test]
    fn no_more_tests_wait_than_there_are_threads_for() {
        let gate = Gate::new(Some(2));
        assert_eq!(gate.threads(MOST_WAITING + 9), 2 + MOST_WAITING);
        gate.lock().waiting = MOST_WAITING;
        assert_eq!(gate.alone(|| ()), None);
    }

    /// A count that differed from libtest-mimic's made a failed test wait for ever.
    #[test]
    fn a_test_that_is_never_run_is_not_waited_for() {
        let gate = Arc::new(Gate::new(Some(2)));
        let (ignored, ran) = (gate.ticket(), gate.ticket());
        drop(ignored);
        gate.first(ran, || ());
        assert_eq!(gate.alone(|| 1), Some(1));
    }

    #[test]
    fn an_attempt_that_panics_has_ended() {
        let gate = Arc::new(Gate::new(Some(2)));
        for _ in 0..3 {
            let ticket = gate.ticket();
            let first = || gate.first(ticket, || panic!("in the front"));
            assert!(catch_unwind(AssertUnwindSafe(first)).is_err());
        }
        let alone = || gate.alone(|| panic!("in the front"));
        assert!(catch_unwind(AssertUnwindSafe(alone)).is_err());
        assert_eq!(gate.alone(|| 1), Some(1));
    }

    #[test]
    fn a_test_without_a_thread_is_not_waited_for() {
        let most_idle = Duration::from_millis(1);
        let gate = Arc::new(Gate { most_idle, ..Gate::new(Some(2)) });
        let _never_runs = gate.ticket();
        assert_eq!(gate.alone(|| 1), None);
    }
}
