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

/// What has changed in a run. `quiet` says whether no
/// thread of the run is left; it is asked before `changes`, because a thread that is seen to have
/// ended had freed what it held before.
pub fn settled(
    patience: Patience,
    quiet: impl Fn() -> bool,
    mut changes: impl FnMut() -> Vec<Change>,
) -> Vec<Change> {
    let started = Instant::now();
    loop {
        let quiet = quiet();
        let changes = changes();
        let grew = changes.iter().any(|change| change.bytes > 0);
        if !grew || quiet || started.elapsed() >= patience.duration() {
            return changes;
        }
        std::thread::sleep(Duration::from_micros(300));
    }
}
