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

    /// The changes since then, and the state that they lead to. If something grew, it waits until
    /// there are no more threads than at `start`, or until patience ends.
    pub fn changes(&self, patience: Patience, start: &Self) -> (Vec<Change>, Self) {
        let quiet = || threads().is_some_and(|now| start.threads.is_some_and(|then| now <= then));
        settled(patience, quiet, Self::now, |now| now.live.changes_since(&self.live))
    }

    /// The number of threads that have come since `earlier`.
    pub fn threads_since(&self, earlier: &Self) -> u32 {
        let (now, then) = (self.threads.unwrap_or(0), earlier.threads.unwrap_or(0));
        u32::try_from(now.saturating_sub(then)).unwrap_or(u32::MAX)
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
