//! The clock of a run: wall time, the wait of the body's thread for a processor, and the processor
//! time of the whole process.

use std::time::{Duration, Instant};

use tracemalloc::internal::judge::Elapsed;

/// A clock that started with a run.
#[derive(Debug, Clone, Copy)]
pub struct RunClock {
    started: Instant,
    /// The wait of the body's thread for a processor, once the run is over.
    pub delay: Duration,
    cpu_before: Option<Duration>,
}

impl RunClock {
    /// Starts it.
    pub fn start() -> Self {
        Self { started: Instant::now(), delay: Duration::ZERO, cpu_before: process_cpu() }
    }

    /// The time since then.
    pub fn time(&self) -> Elapsed {
        Elapsed { wall: self.started.elapsed(), delay: self.delay }
    }

    /// The processor time since then; the wall time if the system does not tell.
    pub fn cpu(&self) -> Duration {
        match (self.cpu_before, process_cpu()) {
            (Some(before), Some(now)) => now.saturating_sub(before),
            _ => self.time().wall,
        }
    }
}

#[cfg(unix)]
fn process_cpu() -> Option<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock writes to the variable above, which has the type that it expects.
    let error = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).ok()?;
    (error == 0).then(|| Duration::new(seconds, time.tv_nsec as u32))
}

#[cfg(not(unix))]
fn process_cpu() -> Option<Duration> {
    None
}
