//! The live blocks before a run, to compare with those after it.

use tracemalloc::internal::judge::{Patience, settled};
use tracemalloc::internal::{Change, Live};

/// The state of the process before a run.
#[derive(Debug)]
pub struct Baseline {
    live: Live,
    /// The threads at that time.
    pub threads: ThreadCount,
}

/// The number of threads of this process; `None` if the system does not tell.
#[derive(Debug, Clone, Copy)]
pub struct ThreadCount(Option<usize>);

impl Baseline {
    /// Records the state now.
    pub fn now() -> Self {
        Self { live: Live::now(), threads: ThreadCount::now() }
    }

    /// The changes since then, and the state that they lead to. If something grew, it waits until
    /// there are no more threads than at `start`, or until patience ends.
    pub fn changes(&self, patience: Patience, start: ThreadCount) -> (Vec<Change>, Self) {
        let quiet = || ThreadCount::now().is_at_most(start);
        settled(patience, quiet, Self::now, |now| now.live.changes_since(&self.live))
    }

    /// The changes until now.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    pub fn changes_now(&self) -> Vec<Change> {
        Live::now().changes_since(&self.live)
    }
}

impl ThreadCount {
    /// Counts the threads now.
    pub fn now() -> Self {
        #[cfg(target_os = "linux")]
        return Self(tracemalloc::internal::proc_dir::threads());
        #[cfg(not(target_os = "linux"))]
        Self(None)
    }

    /// The number of threads that have come since `earlier`.
    pub fn since(self, earlier: Self) -> u32 {
        let (now, then) = (self.0.unwrap_or(0), earlier.0.unwrap_or(0));
        u32::try_from(now.saturating_sub(then)).unwrap_or(u32::MAX)
    }

    /// Whether both counts are known, and this one is not larger.
    fn is_at_most(self, other: Self) -> bool {
        self.0.is_some_and(|now| other.0.is_some_and(|then| now <= then))
    }
}
