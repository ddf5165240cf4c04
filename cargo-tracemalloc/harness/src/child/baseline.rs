//! What a run has changed, once the threads that are still ending have ended.

use tracemalloc::internal::judge::{Patience, settled};
use tracemalloc::internal::{Change, Live};

/// The state before a run.
#[derive(Debug)]
pub struct Baseline {
    live: Live,
    threads: Option<usize>,
}

impl Baseline {
    /// The state now.
    pub fn now() -> Self {
        Self { live: Live::now(), threads: threads() }
    }

    /// The changes since then, after the threads of the run have ended.
    pub fn changes(&self, patience: Patience) -> Vec<Change> {
        let quiet = || threads().is_some_and(|now| self.threads.is_some_and(|then| now <= then));
        settled(patience, quiet, || Live::now().changes_since(&self.live))
    }
}

/// How many threads this process has, where the system tells.
fn threads() -> Option<usize> {
    if cfg!(target_os = "linux") {
        std::fs::read_dir("/proc/self/task").ok().map(Iterator::count)
    } else {
        None
    }
}
