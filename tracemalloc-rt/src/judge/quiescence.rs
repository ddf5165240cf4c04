//! Waits for threads that are still ending.
//!
//! `thread::scope` returns before its threads drop their thread-locals, and a detached thread may
//! be about to free its blocks. So the changes of a run are measured again while such threads live.

use std::time::Duration;

use crate::judge::stopwatch::{Stopwatch, is_reached};
use crate::trace::live::Change;

/// The time that the threads of a run get to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// After the first run.
    First,
    /// After a later run, which decides nothing by itself.
    Later,
    /// After a run that is the only one.
    Deciding,
    /// After the last run, before it is called a leak. A thread that only waits for its end, a
    /// second later, has leaked nothing. The threads of all runs end meanwhile.
    Last,
}

impl Patience {
    fn duration(self) -> Duration {
        Duration::from_millis(match self {
            Self::First => 5,
            Self::Later => 20,
            Self::Deciding => 100,
            Self::Last => 2000,
        })
    }
}

/// The changes of a run, and the state that they lead to. `quiet` says whether no thread of the run
/// is left. It is called before `now`, because a thread that has ended had freed its blocks before.
/// Without growth there is nothing to wait for, except after the last run.
pub fn settled<State>(
    patience: Patience,
    quiet: impl Fn() -> bool,
    now: impl Fn() -> State,
    changes: impl Fn(&State) -> Vec<Change>,
) -> (Vec<Change>, State) {
    let stopwatch = Stopwatch::start();
    loop {
        let quiet = quiet();
        let state = now();
        let changes = changes(&state);
        let grew = changes.iter().any(|change| change.bytes > 0);
        let is_settled = !grew && patience != Patience::Last;
        let is_over = || {
            let elapsed = stopwatch.elapsed();
            is_reached(patience.duration(), elapsed.quiet(), elapsed.wall)
        };
        if is_settled || quiet || is_over() {
            return (changes, state);
        }
        let pause = if patience == Patience::Last { 5000 } else { 300 };
        std::thread::sleep(Duration::from_micros(pause));
    }
}
