//! What a run has changed, once the threads that are still ending have ended.

use tracemalloc::raw::judge::settled;
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

/// What has changed since `before`, in a run with `earlier` runs before it; `deciding` when it may be the last.
pub fn changes(before: &Point, earlier: u32, deciding: bool) -> Vec<Change> {
    let quiet = || threads().is_some_and(|now| before.threads.is_some_and(|then| now <= then));
    settled(earlier, deciding, quiet, || Live::now().changes_since(&before.live))
}

/// How many threads this process has, where the system tells.
fn threads() -> Option<usize> {
    if cfg!(target_os = "linux") { std::fs::read_dir("/proc/self/task").ok().map(Iterator::count) } else { None }
}
