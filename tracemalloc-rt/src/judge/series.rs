//! The growth of one thing over the runs of a body: of a traceback, of a holder, of everything.
//!
//! A cache that fills and a registry that leaks both grow at first. The shape tells them apart: the
//! growth of a cache fades, that of a leak stays. So the last three fifths of the runs are compared
//! with the quarter before them. A steady leak grows 2.5 times as much there, and a buffer that
//! doubles at least a third more. A cache that fills grows less, or not at all.
//!
//! Only new maxima count as growth. A cache that is full may be larger or smaller after each run,
//! but soon it sets no more records.

use crate::judge::grown::Grown;

/// From this many runs on, the shape decides. With fewer, growth in every run after the first does.
pub const SHAPE_RUNS: u32 = 8;

/// Signed changes by run, from 1, in order; runs without a change are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Series {
    changes: Vec<Change>,
    /// The sum of all changes.
    sum: (i64, i64),
    /// The runs of a window, if it was thinned.
    window: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    /// The run, or the last one of a window.
    run: u32,
    bytes: i64,
    blocks: i64,
    /// The number of runs of the window that grew.
    grew: u32,
}

/// A run that left more bytes than any run before it.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// The run, from 1, or the last one of a window.
    pub run: u32,
    /// The number of runs of the window that grew.
    pub grew: u32,
    /// The most bytes before it.
    pub before: u64,
    /// The bytes above that.
    pub bytes: u64,
    /// The blocks that the run added.
    pub blocks: i64,
}

/// Which of a change's two numbers is meant.
#[derive(Clone, Copy)]
enum Number {
    Bytes,
    Blocks,
}

impl Change {
    fn number(self, number: Number) -> i64 {
        match number {
            Number::Bytes => self.bytes,
            Number::Blocks => self.blocks,
        }
    }
}

impl Series {
    /// Adds a change of this run. Runs come in order; one run may have several changes.
    pub fn add(&mut self, run: u32, bytes: i64, blocks: i64) {
        self.add_window(run, 1, bytes, blocks);
    }

    /// Adds a change of several runs, of which this is the last one.
    pub fn add_window(&mut self, run: u32, window: u32, bytes: i64, blocks: i64) {
        self.sum = (self.sum.0 + bytes, self.sum.1 + blocks);
        if self.changes.last().is_none_or(|last| last.run != run) {
            self.changes.push(Change { run, bytes: 0, blocks: 0, grew: 0 });
        }
        if let Some(change) = self.changes.last_mut() {
            change.bytes += bytes;
            change.blocks += blocks;
            change.grew = Grown::of(change.bytes, change.blocks)
                .map_or(0, |grown| grown.runs_that_grew(window));
        }
    }

    /// Sums up the changes of each window of so many runs. The first run stays alone.
    pub fn thin(&mut self, window: u32) {
        let mut thinned: Vec<Change> = Vec::new();
        for change in &self.changes {
            let end = change.run.div_ceil(window) * window;
            match thinned.last_mut() {
                Some(last) if last.run == end && change.run > 1 => {
                    last.bytes += change.bytes;
                    last.blocks += change.blocks;
                    last.grew += change.grew;
                }
                _ => {
                    let run = if change.run == 1 { 1 } else { end };
                    thinned.push(Change { run, ..*change });
                }
            }
        }
        self.changes = thinned;
        self.window = Some(window);
    }

    /// The sum of several series.
    pub fn sum<'a>(all: impl Iterator<Item = &'a Self>) -> Self {
        let (mut sum, mut changes) = (Self::default(), Vec::new());
        for series in all {
            sum.window = sum.window.max(series.window);
            changes.extend_from_slice(&series.changes);
        }
        crate::util::sort::sort_by_key(&mut changes, |change| change.run);
        for Change { run, bytes, blocks, .. } in changes {
            sum.add(run, bytes, blocks);
        }
        sum
    }

    /// Whether there are more bytes after this run than before it.
    pub fn grew_in(&self, run: u32) -> bool {
        self.growth_in(run).is_some()
    }

    /// The growth of this run, if there was any.
    pub fn growth_in(&self, run: u32) -> Option<Grown> {
        let change = self.changes.iter().rfind(|change| change.run <= run)?;
        Grown::of(change.bytes, change.blocks).filter(|_| change.run == run)
    }

    /// Whether this run grew by at least as many bytes as it did in another series, a part of this
    /// one.
    pub fn grew_as_much(&self, part: &Self, run: u32) -> bool {
        let bytes = |series: &Self| series.growth_in(run).map_or(0, |grown| grown.bytes);
        bytes(part) > 0 && bytes(self) >= bytes(part)
    }

    /// In how many runs there were more bytes after than before.
    pub fn growing_runs(&self) -> u32 {
        self.changes.iter().map(|change| change.grew).sum()
    }

    /// The last run that set a new maximum of bytes; 0 where none did.
    pub fn last_record(&self) -> u32 {
        self.records().last().map_or(0, |record| record.run)
    }

    /// Whether each growth after the first run was smaller than the one before it.
    pub fn fades(&self) -> bool {
        let growths = || self.changes.iter().map(|change| change.bytes).filter(|bytes| *bytes > 0);
        growths().zip(growths().skip(1)).all(|(earlier, later)| later < earlier)
    }

    /// Whether growth goes on after this many runs: a leak, rather than something that fills.
    pub fn rises(&self, runs: u32) -> bool {
        if runs < SHAPE_RUNS {
            let is_left = self.sum_until(runs) > self.most_until(runs - 1, Number::Bytes);
            return runs > 1 && is_left && (2..=runs).all(|run| self.rose_after(run - 1, run));
        }
        let (from, earlier_from) = (runs * 2 / 5, runs * 4 / 25);
        // A group that grew for a while and has gone is no growth.
        let (before, most) =
            (self.most_until(from, Number::Bytes), self.most_until(runs, Number::Bytes));
        if most <= before || 2 * self.sum_until(runs) < before + most {
            return false;
        }
        let growth =
            |number, from, until| self.most_until(until, number) - self.most_until(from, number);
        let earlier = |number| growth(number, earlier_from, from);
        let later = |number| growth(number, from, runs);
        let goes_on = |number| later(number) > 0 && later(number) * 10 >= earlier(number) * 13;
        let (bytes, blocks) = (Number::Bytes, Number::Blocks);
        // Blocks of many sizes, in few runs.
        let goes_on = goes_on(bytes) || goes_on(blocks) && later(bytes) * 2 >= earlier(bytes);
        let often = self.records_are_many(runs);
        // A buffer that doubles grows seldom, and by as much as all before.
        let doubles = earlier(bytes) > 0 && later(bytes) * 3 >= growth(bytes, 2, from);
        goes_on && (often || doubles)
    }

    /// Whether many of the later runs set a new maximum, unlike those of a buffer that doubles.
    pub fn records_are_many(&self, runs: u32) -> bool {
        let windows = runs / self.window.unwrap_or(1);
        runs < SHAPE_RUNS || {
            let later = self.records().filter(|record| record.run > runs * 2 / 5);
            later.count() >= (windows / 25).max(2) as usize
        }
    }

    /// Whether the bytes have a higher maximum up to the run `until` than up to `from`.
    pub fn rose_after(&self, from: u32, until: u32) -> bool {
        self.most_until(until, Number::Bytes) > self.most_until(from, Number::Bytes)
    }

    /// The sum of all changes up to this run, if it is growth.
    pub fn size(&self, runs: u32) -> Grown {
        if self.changes.last().is_none_or(|last| last.run <= runs) {
            return Grown::of(self.sum.0, self.sum.1).unwrap_or_default();
        }
        let changes = || self.changes.iter().take_while(|change| change.run <= runs);
        let bytes = changes().map(|change| change.bytes).sum();
        Grown::of(bytes, changes().map(|change| change.blocks).sum()).unwrap_or_default()
    }

    /// Whether nearly all that single runs have added is gone again after this one: less than an
    /// eighth is left. So it is with what threads hold that end a little late.
    pub fn is_mostly_freed(&self, runs: u32) -> bool {
        let changes = self.changes.iter().take_while(|change| change.run <= runs);
        let added: i64 = changes.map(|change| change.bytes.max(0)).sum();
        8 * self.sum_until(runs) < added
    }

    /// The least growth of the runs in which it grew.
    pub fn least(&self) -> Grown {
        let grown = self.changes.iter().filter_map(|change| {
            let runs = i64::from(change.grew.max(1));
            Grown::of(change.bytes / runs, change.blocks / runs)
        });
        grown.min_by_key(|grown| grown.bytes).unwrap_or_default()
    }

    /// Growth a run: the least, if it grew in all runs after the first; otherwise the maximum
    /// spread over all runs.
    pub fn per_run(&self, runs: u32) -> Grown {
        let later = self.growing_runs() - u32::from(self.grew_in(1));
        if later >= runs - 1 {
            return self.least();
        }
        let most = |number| u64::try_from(self.most_until(runs, number)).unwrap_or(0);
        Grown { bytes: most(Number::Bytes), blocks: most(Number::Blocks) }.per_run(runs)
    }

    /// The runs that set a new maximum of bytes.
    pub fn records(&self) -> impl Iterator<Item = Record> {
        let mut sum = 0;
        let mut most = 0;
        self.changes.iter().filter_map(move |change| {
            sum += change.bytes;
            let bytes = u64::try_from(sum - most).ok().filter(|bytes| *bytes > 0)?;
            let before = u64::try_from(most).unwrap_or(0);
            most = sum;
            Some(Record {
                run: change.run,
                grew: change.grew,
                before,
                bytes,
                blocks: change.blocks,
            })
        })
    }

    /// The sum of bytes after this run.
    fn sum_until(&self, run: u32) -> i64 {
        self.changes.iter().take_while(|change| change.run <= run).map(|change| change.bytes).sum()
    }

    fn most_until(&self, run: u32, number: Number) -> i64 {
        let (mut sum, mut most) = (0, 0);
        for change in self.changes.iter().take_while(|change| change.run <= run) {
            sum += change.number(number);
            most = most.max(sum);
        }
        most
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::util::numbers::Numbers;

    /// A series that is this large after each run.
    fn sizes(sizes: impl IntoIterator<Item = i64>) -> (Series, u32) {
        let (mut series, mut before, mut run) = (Series::default(), 0, 0);
        for size in sizes {
            run += 1;
            if size != before {
                series.add(run, size - before, (size - before).signum());
            }
            before = size;
        }
        (series, run)
    }

    fn rises(all: impl IntoIterator<Item = i64>) -> bool {
        let (series, runs) = sizes(all);
        series.rises(runs)
    }

    /// Numbers that look random.
    fn random(seed: u64) -> impl FnMut(u64) -> u64 {
        let mut numbers = Numbers(seed);
        move |below| numbers.below(below as usize) as u64
    }

    #[test]
    fn a_steady_leak_rises_after_any_number_of_runs() {
        for runs in 2..300 {
            assert!(rises((1..=runs).map(|run| 100 * run)), "{runs}");
            assert!(
                rises((1..=runs).map(|run| 9000 + 10 * run)),
                "beside a large first run: {runs}"
            );
        }
    }

    #[test]
    fn a_leak_that_begins_later_rises() {
        assert!(rises([0, 8, 16, 24, 32, 40, 48, 56, 64]));
        assert!(rises((1..=200).map(|run| if run < 20 { 0 } else { run * 5 })));
    }

    #[test]
    fn a_leak_in_each_third_or_tenth_run_rises() {
        assert!(rises((1..=64).map(|run| run / 3 * 40)));
        assert!(rises((1..=256).map(|run| run / 10 * 40)));
    }

    #[test]
    fn buffers_that_double_rise() {
        let pushed = |run: i64| 8 * (run as u64).next_power_of_two() as i64;
        for runs in [8, 9, 31, 64, 100, 256, 1000] {
            assert!(rises((1..=runs).map(pushed)), "{runs}");
        }
        let pages = |run: i64| {
            (0..).take_while(|page| 32 * ((1 << page) - 1) < 20 * run).map(|page| 256 << page).sum()
        };
        for runs in [64, 100, 256, 1000] {
            assert!(rises((1..=runs).map(pages)), "{runs}");
        }
    }

    #[test]
    fn a_cache_that_fills_does_not_rise_after_two_and_a_half_times_as_many_runs() {
        for entries in 1..=40 {
            for runs in (entries * 5 / 2 + 1).max(8)..300 {
                assert!(!rises((1..=runs).map(|run| 64 * run.min(entries))), "{entries} {runs}");
            }
        }
    }

    #[test]
    fn caches_that_are_filled_at_random_do_not_rise_in_the_end() {
        for seed in 0..50 {
            let mut random = random(seed);
            let mut seen = [false; 40];
            let filled = (0..400).map(|_| {
                seen[random(40) as usize] = true;
                seen.iter().filter(|seen| **seen).count() as i64 * 64
            });
            assert!(!rises(filled.collect::<Vec<_>>()), "{seed}");
        }
    }

    #[test]
    fn an_amount_that_grows_and_shrinks_by_turns_does_not_rise() {
        for seed in 0..200 {
            let mut random = random(seed);
            let sizes: Vec<i64> = (0..256).map(|_| 1000 + random(16) as i64 * 8).collect();
            assert!(!rises(sizes), "{seed}");
        }
    }

    #[test]
    fn memory_that_threads_of_many_runs_free_in_the_end_does_not_rise() {
        assert!(!rises([700, 1400, 2100, 2800, 3500, 4200, 4900, 0]));
        assert!(!rises([700, 1400, 2100, 0]));
    }

    #[test]
    fn one_late_growth_is_no_shape() {
        assert!(!rises((1..=100).map(|run| if run < 77 { 100 } else { 300 })));
    }

    #[test]
    fn growth_that_fades_in_every_run_does_not_rise() {
        let halves = (1..=12).scan((0, 1 << 20), |(size, next), _| {
            *size += *next;
            *next /= 2;
            Some(*size)
        });
        assert!(!rises(halves));
    }

    #[test]
    fn windows_of_runs_keep_sums_and_numbers() {
        let leak = |run: i64| 9000 + run / 3 * 40;
        let (whole, runs) = sizes((1..=64).map(leak));
        let mut thinned = whole.clone();
        for window in [2, 4, 8] {
            thinned.thin(window);
            assert_eq!(thinned.growth_in(1), whole.growth_in(1), "{window}");
            assert_eq!(thinned.size(runs), whole.size(runs));
            assert_eq!(thinned.growing_runs(), whole.growing_runs());
            assert_eq!(thinned.per_run(runs), whole.per_run(runs));
            assert!(thinned.rises(runs) && thinned.records_are_many(runs), "{window}");
        }
        assert_eq!(thinned.changes.len(), 9);
        for run in (72..=160).step_by(8) {
            let (bytes, blocks) = (leak(run) - leak(run - 8), run / 3 - (run - 8) / 3);
            thinned.add_window(run as u32, 8, bytes, blocks);
        }
        assert_eq!(thinned.growing_runs(), 1 + 160 / 3);
        assert!(thinned.rises(160) && thinned.records_are_many(160));

        let (mut steady, runs) = sizes((1..=64).map(|run| 9000 + 10 * run));
        steady.thin(16);
        assert_eq!(steady.per_run(runs), Grown { bytes: 10, blocks: 1 });
    }

    #[test]
    fn entries_that_move_between_lines_set_no_record_in_windows() {
        let (mut one, mut other) = (Series::default(), Series::default());
        one.add(1, 640, 10);
        for run in 2..=64 {
            let moved = if run % 2 == 0 { -64 } else { 64 };
            one.add(run, moved, moved.signum());
            other.add(run, -moved, -moved.signum());
        }
        one.thin(4);
        other.thin(4);
        assert_eq!(Series::sum([&one, &other].into_iter()).last_record(), 1);
    }

    #[test]
    fn growth_a_run_is_the_least_or_the_mean() {
        let (series, runs) = sizes([9000, 9010, 9025, 9035]);
        assert_eq!(series.per_run(runs), Grown { bytes: 10, blocks: 1 });
        let (series, runs) = sizes([30, 30, 60, 60]);
        assert_eq!(series.per_run(runs), Grown { bytes: 15, blocks: 1 });
    }
}
