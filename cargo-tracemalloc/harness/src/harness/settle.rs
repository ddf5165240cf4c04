//! What a run has changed, once the threads that are still ending have ended.
//!
//! `thread::scope` returns before its threads' thread-locals are dropped, and a detached thread may be about to free
//! what it holds. So growth is looked at again for some milliseconds, as long as there are more threads than before.

use std::time::{Duration, Instant};

use tracemalloc::raw::{Change, Live};

/// The state before a run.
#[derive(Debug)]
pub struct Point {
    live: Live,
    threads: Option<usize>,
}

impl Point {
    /// The state now.
    pub fn now() -> Self {
        Self { live: Live::now(), threads: threads() }
    }
}

/// How long threads of the first run are waited for, of a later one, and of one that may decide.
const FIRST: Duration = Duration::from_millis(5);
const LATER: Duration = Duration::from_millis(20);
const DECIDING: Duration = Duration::from_millis(100);

/// What has changed since `before`, in a run with `earlier` runs before it; `deciding` when it may be the last.
pub fn changes(before: &Point, earlier: u32, deciding: bool) -> Vec<Change> {
    let patience = if deciding {
        DECIDING
    } else if earlier > 0 {
        LATER
    } else {
        FIRST
    };
    let started = Instant::now();
    loop {
        // In this order: a thread that is seen to have ended had freed what it held before.
        let quiet = threads().is_some_and(|now| before.threads.is_some_and(|then| now <= then));
        let changes = Live::now().changes_since(&before.live);
        let grew = changes.iter().any(|change| change.bytes > 0);
        if !grew || quiet || started.elapsed() >= patience {
            return changes;
        }
        std::thread::sleep(Duration::from_micros(300));
    }
}

/// How many threads this process has, where the system tells.
fn threads() -> Option<usize> {
    if cfg!(target_os = "linux") { std::fs::read_dir("/proc/self/task").ok().map(Iterator::count) } else { None }
}
