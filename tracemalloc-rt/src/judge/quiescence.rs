//! Waits until threads that are still ending have ended.
//!
//! `thread::scope` returns before its threads' thread-locals are dropped, and a detached thread may
//! be about to free what it holds. So what has changed is looked at again for some milliseconds, as
//! long as there are such threads.

use std::time::{Duration, Instant};

use crate::trace::live::Change;

/// How long the threads of a run are waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// It is the first one.
    First,
    /// It is a later one, which decides nothing.
    Later,
    /// It may be the last one.
    Deciding,
    /// It is the last one, of several. A thread that only waits for its end, a second later, has
    /// not leaked anything; as many of them end meanwhile as earlier runs have left.
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
pub fn settled<State>(
    patience: Patience,
    quiet: impl Fn() -> bool,
    now: impl Fn() -> State,
    changes: impl Fn(&State) -> Vec<Change>,
) -> (Vec<Change>, State) {
    let started = Instant::now();
    loop {
        let quiet = quiet();
        let state = now();
        let changes = changes(&state);
        let grew = changes.iter().any(|change| change.bytes > 0);
        if !grew || quiet || started.elapsed() >= patience.duration() {
            return (changes, state);
        }
        std::thread::sleep(Duration::from_micros(300));
    }
}
