//! The gate through which tests run: some at a time, and at the end those that failed, alone.
//!
//! Tests of one binary may share a file, a port, or a lock in a static that is meant for one
//! process. Beside each other, they fail. Alone they pass, as under `cargo test`.

use std::num::NonZeroUsize;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

/// The number of failed tests that can wait for their turn. Each one blocks a thread.
const MOST_WAITING: usize = 64;

/// The gate of one binary's tests.
#[derive(Debug)]
pub struct Gate {
    /// The number of tests that may run at once.
    width: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// Tests whose first attempt has not ended.
    left: usize,
    running: usize,
    waiting: usize,
    alone: bool,
}

/// The end of a first attempt.
#[derive(Debug)]
pub struct Attempt<T> {
    /// Its result.
    pub result: T,
    /// Whether another test ran at the same time.
    pub had_company: bool,
}

impl Gate {
    /// A gate for this many tests. `width` is `--test-threads`.
    pub fn new(width: Option<usize>, tests: usize) -> Self {
        let width = width.or_else(|| available_parallelism().ok().map(NonZeroUsize::get));
        let state = State { left: tests, running: 0, waiting: 0, alone: false };
        Self { width: width.unwrap_or(1), state: Mutex::new(state), changed: Condvar::new() }
    }

    /// The number of threads that call the gate: those that run tests, and those that wait.
    pub fn threads(&self) -> usize {
        let tests = self.lock().left;
        if self.width == 1 { 1 } else { self.width + tests.min(MOST_WAITING) }
    }

    /// Makes the first attempt at a test, once there is room.
    pub fn first<T>(&self, run: impl FnOnce() -> T) -> Attempt<T> {
        let mut state = self.wait_while(|state| state.running >= self.width);
        state.running += 1;
        // Every test that starts or runs meanwhile is company.
        let before = state.left;
        let beside = state.running > 1;
        drop(state);
        let result = run();
        let mut state = self.lock();
        let had_company = beside || state.running > 1 || state.left < before;
        state.running -= 1;
        state.left -= 1;
        self.changed.notify_all();
        Attempt { result, had_company }
    }

    /// Runs a test again when all first attempts have ended, beside no other test. `None` if too
    /// many tests wait for that.
    pub fn alone<T>(&self, run: impl FnOnce() -> T) -> Option<T> {
        let mut state = self.lock();
        if self.width == 1 || state.waiting >= MOST_WAITING {
            return None;
        }
        state.waiting += 1;
        drop(state);
        let mut state = self.wait_while(|state| state.left > 0 || state.alone);
        state.alone = true;
        drop(state);
        let result = run();
        let mut state = self.lock();
        state.alone = false;
        self.changed.notify_all();
        Some(result)
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

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn a_test_waits_for_all_first_attempts_and_then_runs_alone() {
        let (gate, both) = (Gate::new(Some(2), 3), Barrier::new(2));
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    assert!(gate.first(|| both.wait()).had_company);
                    assert_eq!(gate.alone(|| gate.lock().left), Some(0));
                });
            }
            scope.spawn(|| gate.first(|| ()));
        });
    }

    #[test]
    fn one_thread_runs_no_test_twice() {
        let gate = Gate::new(Some(1), 2);
        assert_eq!(gate.threads(), 1);
        assert!(!gate.first(|| ()).had_company);
        assert_eq!(gate.alone(|| ()), None);
    }

    #[test]
    fn no_more_tests_wait_than_there_are_threads_for() {
        let gate = Gate::new(Some(2), MOST_WAITING + 9);
        assert_eq!(gate.threads(), 2 + MOST_WAITING);
        gate.lock().waiting = MOST_WAITING;
        assert_eq!(gate.alone(|| ()), None);
    }
}
