//! A stopwatch that tells a slow body from a busy machine.
//!
//! On a busy machine, wall time says little about a body. So the wait for a processor is measured
//! too, as far as this thread and the body's thread have waited.

use core::time::Duration;
use std::time::Instant;

use crate::os::run_delay;

/// Threads that the body starts wait for processors as well, and nothing measures that. So a
/// measured wait counts as many times.
const UNSEEN: u32 = 2;
/// On a busy machine, everything may take as many times as long.
const BUSY: u32 = 10;

/// A running stopwatch of the calling thread.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch {
    started: Instant,
    delay_before: Duration,
}

/// Elapsed time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Elapsed {
    /// Wall time.
    pub wall: Duration,
    /// The part of it that known threads waited for a processor.
    pub delay: Duration,
}

impl Stopwatch {
    /// Starts it.
    pub fn start() -> Self {
        Self { started: Instant::now(), delay_before: run_delay::of_this_thread() }
    }

    /// The time since then.
    pub fn elapsed(&self) -> Elapsed {
        let delay = run_delay::of_this_thread().saturating_sub(self.delay_before);
        Elapsed { wall: self.started.elapsed(), delay }
    }
}

impl Elapsed {
    /// An estimate of the time on a machine that has nothing else to do.
    pub fn quiet(self) -> Duration {
        self.wall.saturating_sub(self.delay * UNSEEN)
    }
}

/// Whether a limit of time is reached. `quiet` is an estimate of the time on a machine that has
/// nothing else to do; the wall time is a limit for estimates that are wrong.
pub fn is_reached(limit: Duration, quiet: Duration, wall: Duration) -> bool {
    quiet >= limit || wall >= BUSY * limit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_for_a_processor_do_not_count() {
        let second = Duration::from_secs(1);
        let elapsed = |tenths| Elapsed { wall: 2 * second, delay: tenths * second / 10 };
        assert_eq!(elapsed(0).quiet(), 2 * second);
        assert_eq!(elapsed(1).quiet(), 18 * second / 10);
        assert_eq!(elapsed(11).quiet(), Duration::ZERO);
        let reached = |elapsed: Elapsed, limit| is_reached(limit, elapsed.quiet(), elapsed.wall);
        assert!(reached(elapsed(0), 2 * second));
        assert!(!reached(elapsed(6), second));
        assert!(reached(elapsed(9), second / 5), "a limit holds on a busy machine, too");
    }
}
