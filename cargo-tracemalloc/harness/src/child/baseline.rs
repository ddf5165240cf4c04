//! The live blocks before a run, to compare with those after it.

use tracemalloc::internal::judge::{Patience, settled};
use tracemalloc::internal::{Change, Live};

/// The state of the process before a run.
#[derive(Debug)]
pub struct Baseline {
    live: Live,
    threads: Option<usize>,
}

impl Baseline {
    /// Records the state now.
    pub fn now() -> Self {
        Self { live: Live::now(), threads: threads() }
    }

    /// Returns the changes since then, after the threads of the run have ended.
    pub fn changes(&self, patience: Patience) -> Vec<Change> {
        let quiet = || threads().is_some_and(|now| self.threads.is_some_and(|then| now <= then));
        settled(patience, quiet, || Live::now().changes_since(&self.live))
    }
}

/// The number of threads of this process; `None` if the system does not tell.
fn threads() -> Option<usize> {
    if cfg!(target_os = "linux") {
        std::fs::read_dir("/proc/self/task").ok().map(Iterator::count)
    } else {
        None
    }
}
