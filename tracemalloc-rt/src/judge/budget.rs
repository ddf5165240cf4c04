//! The number of runs that a body gets: until its growth has a shape, or until that costs too much.

use core::time::Duration;

use crate::judge::stopwatch::is_reached;

/// How often a body may run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Budget {
    /// The number of runs at most, where it was given; otherwise time decides.
    pub fixed: Option<u32>,
    /// Whether a quick body without growth runs once more.
    pub probes: bool,
    /// Whether it is the body of a loop, and runs are its rounds.
    pub is_loop: bool,
}

/// Runs until now, as far as they matter to the budget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Runs that passed.
    pub runs: u32,
    /// The time that they took, with all that came after each.
    pub time: Duration,
    /// An estimate of the time that they take on a machine that has nothing else to do: as many
    /// times the lower quartile.
    pub quiet_time: Duration,
    /// The part of the time that known threads waited for a processor.
    pub delay: Duration,
    /// Their processor time.
    pub cpu: Duration,
    /// Bytes that all of them have left.
    pub bytes: u64,
    /// Threads that all of them have left.
    pub threads: u32,
}

/// Runs that a suspicion gets, however long they take, unless they take [`LONG`].
const LEAST: u32 = 8;
/// Runs that a suspicion gets if they take no longer than [`PATIENCE`].
const MANY: u32 = 64;
/// Runs that a suspicion gets at most.
const MOST: u32 = 1000;
/// Rounds of a loop at most.
const MOST_ROUNDS: u32 = 50_000;
/// Rounds that a loop makes at least, if they take no longer than [`ROUNDS_TIME`]. A leak in each
/// hundredth round shows in so many.
const ROUNDS: u32 = 1000;
/// The time for [`ROUNDS`] rounds.
const ROUNDS_TIME: Duration = Duration::from_secs(1);
/// Rounds that a loop makes even if they take longer, unless they take [`LONG`].
const LEAST_ROUNDS: u32 = 100;
/// The time for as many runs as possible, up to [`MOST`].
const TIME: Duration = Duration::from_millis(500);
/// The time for [`MANY`] runs.
const PATIENCE: Duration = Duration::from_secs(2);
/// Runs that a suspicion gets even if they take [`LONG`].
const LEAST_LONG: u32 = 3;
/// The time after which no further run begins.
const LONG: Duration = Duration::from_secs(10);
/// Runs that a suspicion gets although its growth has stopped, as long as they cost nearly nothing.
/// A list of blocks with 31 entries each, or a buffer that doubles, may pause for so long.
const PAUSE: u32 = 40;
/// Growth that repeats may leave before [`LEAST`] runs are enough.
const LARGE: u64 = 64 << 20;
/// Runs that took so long tell how many there will be.
const TELLING: Duration = Duration::from_secs(1);
/// A body that took no more processor time runs once more, even if nothing is suspicious.
const QUICK: Duration = Duration::from_millis(10);
/// A body that took longer does not, whatever it waited for. On a machine that is busy enough for
/// an eighth of the time to be a wait for a processor, it may take ten times as long.
const SLOW: Duration = Duration::from_millis(100);

impl Budget {
    /// The number of runs at most.
    pub fn most(self) -> u32 {
        self.fixed.unwrap_or(if self.is_loop { MOST_ROUNDS } else { MOST })
    }

    /// Whether no further run may begin.
    pub fn is_spent(self, spent: Spent) -> bool {
        let Spent { runs, bytes, threads, .. } = spent;
        match self.fixed {
            Some(fixed) => runs >= fixed,
            None if self.is_loop => {
                let takes = |most: Duration| is_reached(most, spent.quiet_time, spent.time);
                runs >= self.most()
                    || runs >= LEAST && (bytes >= LARGE || takes(LONG) || threads >= runs / 2)
                    || runs >= LEAST_LONG && takes(5 * LONG)
            }
            None if runs >= self.most() => true,
            None if runs >= LEAST && (bytes >= LARGE || threads >= runs / 2) => true,
            None => runs >= LEAST_LONG && is_reached(time_for(runs), spent.quiet_time, spent.time),
        }
    }

    /// Whether the budget is spent after few runs, and only because the machine is busy.
    pub fn was_cut_short(self, spent: Spent) -> bool {
        !self.is_loop
            && spent.runs < MANY
            && self.is_spent(spent)
            && !self.is_spent(Spent { time: spent.quiet_time, ..spent })
    }

    /// Whether a loop has made enough rounds for a verdict, if its growth has stopped.
    pub fn has_enough_rounds(self, spent: Spent) -> bool {
        let take_long = || is_reached(ROUNDS_TIME, spent.quiet_time, spent.time);
        self.fixed.is_none() && spent.runs >= if take_long() { LEAST_ROUNDS } else { ROUNDS }
    }

    /// The number of runs at most, if each takes as long as the runs so far. `None` if they have
    /// taken too little time to tell.
    pub fn likely_runs(self, spent: Spent) -> Option<u32> {
        if self.fixed.is_some() || spent.runs == 0 || spent.time < TELLING {
            return self.fixed;
        }
        let after = |runs: u32| Spent {
            runs,
            time: spent.time * runs / spent.runs,
            quiet_time: spent.quiet_time * runs / spent.runs,
            ..spent
        };
        (spent.runs + 1..=self.most()).find(|runs| self.is_spent(after(*runs)))
    }

    /// Whether a body without growth runs once more after its first run.
    pub fn allows_probe(self, first: Spent) -> bool {
        self.probes
            && self.fixed.is_none_or(|fixed| fixed > 1)
            && first.cpu <= QUICK
            && (first.time <= SLOW || first.time <= 10 * SLOW && first.delay >= first.time / 8)
    }

    /// Whether runs were so quick that some more cost nothing.
    pub fn is_hardly_used(self, spent: Spent) -> bool {
        self.has_cheap_runs_until(LEAST, spent)
    }

    /// Whether growth that has stopped may only pause, and it costs nothing to see.
    pub fn may_wait_for_growth(self, spent: Spent) -> bool {
        self.has_cheap_runs_until(PAUSE, spent)
    }

    fn has_cheap_runs_until(self, most: u32, spent: Spent) -> bool {
        spent.runs < self.fixed.unwrap_or(most).min(most)
            && spent.cpu <= 2 * QUICK
            && spent.quiet_time <= 2 * SLOW
            && !is_reached(PATIENCE, spent.quiet_time, spent.time)
    }
}

/// The time after which no further run begins, if there were so many.
fn time_for(runs: u32) -> Duration {
    match runs {
        MANY.. => TIME,
        LEAST.. => PATIENCE,
        _ => LONG,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many runs there are, if each takes so long and leaves a thread or not.
    fn runs(fixed: Option<u32>, each: Duration, threads: bool) -> u32 {
        let budget = Budget { fixed, probes: true, is_loop: false };
        let spent = |runs| Spent {
            runs,
            time: each * runs,
            quiet_time: each * runs,
            cpu: each * runs,
            delay: Duration::ZERO,
            bytes: 0,
            threads: if threads { runs } else { 0 },
        };
        (1..).find(|runs| budget.is_spent(spent(*runs))).expect("it ends")
    }

    #[test]
    fn quick_runs_go_on_for_a_while_after_growth_has_stopped() {
        let budget = Budget { fixed: None, probes: true, is_loop: false };
        let spent = |runs, milliseconds| {
            let time = Duration::from_millis(milliseconds);
            Spent { runs, time, quiet_time: time, cpu: time, ..Spent::default() }
        };
        assert!(budget.may_wait_for_growth(spent(39, 20)));
        assert!(!budget.may_wait_for_growth(spent(40, 20)));
        assert!(!budget.may_wait_for_growth(spent(2, 21)));
        assert!(
            !Budget { fixed: Some(3), probes: true, is_loop: false }
                .may_wait_for_growth(spent(3, 1))
        );
    }

    #[test]
    fn a_busy_machine_takes_no_runs_away() {
        let budget = Budget { fixed: None, probes: true, is_loop: false };
        let spent = |runs, milliseconds, quiet| Spent {
            runs,
            time: Duration::from_millis(milliseconds),
            quiet_time: Duration::from_millis(quiet),
            ..Spent::default()
        };
        let first = |milliseconds, delay| {
            let delay = Duration::from_millis(delay);
            Spent { delay, ..spent(1, milliseconds, milliseconds) }
        };
        assert!(budget.allows_probe(first(100, 0)));
        assert!(!budget.allows_probe(first(900, 100)));
        assert!(budget.allows_probe(first(900, 120)));
        assert!(!budget.allows_probe(first(1100, 900)));
        assert!(budget.may_wait_for_growth(spent(10, 19_000, 10)));
        assert!(!budget.is_spent(spent(50, 18_000, 50)));
        assert!(budget.is_spent(spent(50, 20_000, 50)), "it has an end");
        assert!(budget.was_cut_short(spent(50, 20_000, 50)));
        assert!(!budget.was_cut_short(spent(50, 20_000, 2000)), "it was slow by itself");
        assert!(!budget.was_cut_short(spent(64, 20_000, 50)), "so many runs are enough");
    }

    #[test]
    fn a_loop_has_many_rounds_if_they_are_cheap() {
        let rounds = |fixed, microseconds, enough: fn(Budget, Spent) -> bool| {
            let budget = Budget { fixed, probes: true, is_loop: true };
            let spent = |runs| {
                let time = Duration::from_micros(microseconds) * runs;
                Spent { runs, time, quiet_time: time, ..Spent::default() }
            };
            (1..).find(|runs| enough(budget, spent(*runs))).expect("it ends")
        };
        for (microseconds, least, most) in [
            (0, 1000, 50_000),
            (100, 1000, 50_000),
            (2000, 500, 5000),
            (50_000, 100, 200),
            (500_000, 100, 20),
            (20_000_000, 100, 3),
        ] {
            assert_eq!(rounds(None, microseconds, Budget::has_enough_rounds), least);
            assert_eq!(rounds(None, microseconds, Budget::is_spent), most, "{microseconds} us");
            assert_eq!(rounds(Some(40_000), microseconds, Budget::is_spent), 40_000);
        }
    }

    #[test]
    fn time_decides_unless_a_number_is_given() {
        for (milliseconds, expected) in
            [(0, 1000), (1, 500), (8, 64), (30, 64), (100, 20), (300, 8), (2000, 5), (20_000, 3)]
        {
            let each = Duration::from_millis(milliseconds);
            assert_eq!(runs(None, each, false), expected, "{milliseconds} ms");
            assert_eq!(runs(Some(4), each, false), 4);
            let spent = Spent { runs: 2, time: 2 * each, quiet_time: 2 * each, ..Spent::default() };
            let likely = |fixed| Budget { fixed, probes: true, is_loop: false }.likely_runs(spent);
            assert_eq!(likely(None), (milliseconds >= 500).then_some(expected));
            assert_eq!(likely(Some(4)), Some(4));
        }
        assert_eq!(runs(None, Duration::ZERO, true), LEAST, "a thread is left by each run");
    }
}
