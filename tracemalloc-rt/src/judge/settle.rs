//! Waits until threads that are still ending have ended.
//!
//! `thread::scope` returns before its threads' thread-locals are dropped, and a detached thread may be about to free
//! what it holds. So what has changed is looked at again for some milliseconds, as long as there are such threads.

use std::time::{Duration, Instant};

use crate::live::Change;

/// How long threads of the first run are waited for, of a later one, and of one that may decide.
const FIRST: Duration = Duration::from_millis(5);
const LATER: Duration = Duration::from_millis(20);
const DECIDING: Duration = Duration::from_millis(100);

/// What has changed in a run with `earlier` runs before it; `deciding` when it may be the last. `quiet` says whether no
/// thread of the run is left; it is asked before `changes`, because a thread that is seen to have ended had freed what it
/// held before.
pub fn settled(
    earlier: u32,
    deciding: bool,
    quiet: impl Fn() -> bool,
    mut changes: impl FnMut() -> Vec<Change>,
) -> Vec<Change> {
    let patience = if deciding {
        DECIDING
    } else if earlier > 0 {
        LATER
    } else {
        FIRST
    };
    let started = Instant::now();
    loop {
        let quiet = quiet();
        let changes = changes();
        let grew = changes.iter().any(|change| change.bytes > 0);
        if !grew || quiet || started.elapsed() >= patience {
            return changes;
        }
        std::thread::sleep(Duration::from_micros(300));
    }
}
