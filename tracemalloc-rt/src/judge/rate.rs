//! The bytes a run of one growth, as far as any number of runs proves the same.
//!
//! A buffer that doubles grows seldom and by much: its mean over the runs depends on their number.
//! The place of its last growths tells how fast it fills. A [`Rate`] is what a growth proves, so
//! that rates after 2 runs and after 1,000 runs can be compared.

use crate::judge::series::{Record, Series};
#[cfg(feature = "_wire")]
use crate::util::wire::{WireValue, wire};

/// The frequency of growth after the first run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "_json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "_json", serde(rename_all = "snake_case"))]
pub enum Pace {
    /// New blocks in every run, or in 19 of 20.
    EveryRun,
    /// New blocks in at least every second run.
    Often,
    /// New blocks in fewer runs.
    Seldom,
    /// Larger blocks only: a buffer with room for several runs.
    Buffer,
}

#[cfg(feature = "_wire")]
wire!(
    enum Pace {
        EveryRun,
        Often,
        Seldom,
        Buffer,
    }
);

/// Bounds of the bytes a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "_json", derive(serde::Serialize, serde::Deserialize))]
pub struct Rate {
    /// The frequency of growth.
    pub pace: Pace,
    /// At least so many bytes a run.
    #[cfg_attr(feature = "_json", serde(rename = "least_bytes"))]
    pub least: u64,
    /// At most so many bytes a run.
    #[cfg_attr(feature = "_json", serde(rename = "most_bytes"))]
    pub most: u64,
}

#[cfg(feature = "_wire")]
wire!(struct Rate { pace, least, most });

impl Rate {
    /// A rate without doubt.
    pub fn exactly(bytes: u64) -> Self {
        Self { pace: Pace::EveryRun, least: bytes, most: bytes }
    }

    /// The rate that growth proves, by its new maxima over so many runs.
    pub(super) fn of(series: &Series, runs: u32) -> Self {
        let records = series.records().take_while(|record| record.run <= runs);
        let records: Vec<Record> = records.collect();
        let total: u64 = records.iter().map(|record| record.bytes).sum();
        let later: Vec<Record> = records.iter().copied().filter(|record| record.run > 1).collect();
        let after_first = u64::from(runs).saturating_sub(1);
        let Some(largest) = later.iter().map(|record| record.bytes).max() else {
            return Self::exactly(total);
        };
        let sum: u64 = later.iter().map(|record| record.bytes).sum();
        let number: u64 = later.iter().map(|record| u64::from(record.grew.max(1))).sum();
        if later.iter().all(|record| record.blocks <= 0) {
            let (least, most) = buffer(&later, runs);
            return Self { pace: Pace::Buffer, least, most: most.min(total.div_ceil(runs.into())) };
        }
        if number * 20 >= after_first * 19 {
            let smallest = records
                .iter()
                .map(|record| record.bytes / u64::from(record.grew.max(1)))
                .min()
                .unwrap_or(0);
            let least = smallest * number / after_first;
            return Self { pace: Pace::EveryRun, least, most: sum.div_ceil(after_first) };
        }
        Self {
            pace: if number * 2 >= after_first { Pace::Often } else { Pace::Seldom },
            least: (sum - largest) / after_first,
            most: (sum + largest).div_ceil(after_first),
        }
    }

    /// The part of this rate that `part` is of `whole`.
    pub(super) fn part(self, part: u64, whole: u64) -> Self {
        let of = |bytes: u64| u128::from(bytes) * u128::from(part.min(whole));
        let whole = u128::from(whole.max(1));
        let to_bytes = |bytes: u128| u64::try_from(bytes).unwrap_or(u64::MAX);
        let (least, most) = (of(self.least) / whole, of(self.most).div_ceil(whole));
        Self { least: to_bytes(least), most: to_bytes(most), ..self }
    }
}

/// Bounds for buffers that grow when they are full: a full one had the content of all runs so far.
/// Two growths of one buffer tell the content of the runs between them, whatever it had before.
fn buffer(later: &[Record], runs: u32) -> (u64, u64) {
    let (first, last) = (later[0], later[later.len() - 1]);
    // One buffer of many grows by a small part of all.
    let is_single = later.iter().all(|record| record.bytes.saturating_mul(3) >= record.before);
    if !is_single {
        // Each one is at least a third full. What the first run found may have been full.
        let filled = ((last.before + last.bytes) / 3).saturating_sub(first.before);
        return (filled / u64::from(runs), u64::MAX);
    }
    let between = u64::from(last.run - first.run);
    if between == 0 {
        return (0, u64::MAX);
    }
    let filled = last.before - first.before;
    let most = if between > 1 { filled.div_ceil(between - 1) } else { u64::MAX };
    (filled / (between + 1), most)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rate of something that has this many bytes and blocks after each run.
    fn rate(runs: u32, size: impl Fn(u64) -> (u64, u64)) -> Rate {
        let mut series = Series::default();
        let mut before = (0, 0);
        for run in 1..=runs {
            let (bytes, blocks) = size(u64::from(run));
            let signed = |number: u64| i64::try_from(number).unwrap();
            let (bytes, blocks) = (signed(bytes), signed(blocks));
            if (bytes, blocks) != before {
                series.add(run, bytes - before.0, blocks - before.1);
            }
            before = (bytes, blocks);
        }
        Rate::of(&series, runs)
    }

    fn vector(len: u64, element: u64) -> (u64, u64) {
        (len.next_power_of_two().max(4) * element, 1)
    }

    /// hashbrown's table.
    fn map(len: u64, element: u64) -> (u64, u64) {
        let buckets = match len {
            0..4 => 4,
            4..8 => 8,
            _ => (len * 8).div_ceil(7).next_power_of_two(),
        };
        (buckets * (element + 1) + 16, 1)
    }

    /// std's B-tree, filled in order: a new leaf every six entries, and nodes above.
    fn tree(len: u64, leaf: u64) -> (u64, u64) {
        let leaves = 1 + len.saturating_sub(6) / 6;
        let inner = if leaves > 1 { 1 + leaves.saturating_sub(6) / 6 } else { 0 };
        (leaves * leaf + inner * (leaf + 96), leaves + inner)
    }

    const RUNS: [u32; 14] = [2, 3, 4, 5, 6, 7, 8, 9, 12, 20, 31, 64, 300, 1000];

    type Shape<'a> = (&'a str, &'a dyn Fn(u64) -> (u64, u64));

    fn with_room(bytes: u64) -> u64 {
        bytes + bytes.div_ceil(4)
    }

    #[test]
    fn the_number_of_runs_makes_no_growth_larger() {
        for entries in [1, 2, 3, 5, 40] {
            for before in [0, 3, 1000] {
                let list = |run| vector(before + run * entries, 16);
                let text = |run: u64| ((before + run * entries).next_power_of_two().max(8), 1);
                let table = |run| map(before + run * entries, 24);
                let small = |run| map(before + run * entries, 2);
                let nodes = |run| tree(before + run * entries, 280);
                let blocks = |run| ((before + run * entries) * 40, before + run * entries);
                let shards = |run| {
                    let all = (0..8).map(|shard| {
                        let len = (before + run * entries + shard) / 8;
                        if len == 0 { (0, 0) } else { vector(len, 8) }
                    });
                    all.fold((0, 0), |(bytes, blocks), one| (bytes + one.0, blocks + one.1))
                };
                let mut shapes: Vec<Shape<'_>> = vec![
                    ("list", &list),
                    ("text", &text),
                    ("table", &table),
                    ("small", &small),
                    ("nodes", &nodes),
                    ("blocks", &blocks),
                ];
                // While shards get their first block, they grow by more than later.
                if before > 100 {
                    shapes.push(("shards", &shards));
                }
                for (name, shape) in shapes {
                    let rates = RUNS.map(|runs| rate(runs, shape));
                    for (one, of_one) in rates.iter().zip(RUNS) {
                        for (other, of_other) in rates.iter().zip(RUNS) {
                            // Without growth after the first run, there is no leak to compare. A
                            // node in the second of two runs looks like one in each.
                            let grew = |runs: u32| shape(runs.into()).0 > shape(1).0;
                            let is_chance = name == "nodes" && before > 0 && of_one == 2;
                            if !grew(of_one) || !grew(of_other) || is_chance {
                                continue;
                            }
                            assert!(
                                one.least <= with_room(other.most),
                                "{entries} entries in {name} with {before}: {one:?} in {of_one} \
                                 runs, {other:?} in {of_other}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_second_push_and_a_larger_element_are_proven() {
        for runs in [20, 31, 64, 300, 1000] {
            for before in [9, 20, 64, 300, 1000] {
                for (name, one, two, larger) in
                    [("list", 1, 2, 32), ("list", 3, 6, 32), ("list", 40, 80, 32)]
                {
                    let known = rate(before, |run| vector(run * one, 16));
                    let second = rate(runs, |run| vector(run * two, 16));
                    let larger = rate(runs, |run| vector(run * one, larger));
                    for now in [second, larger] {
                        assert!(
                            now.least > with_room(known.most),
                            "{name}: {now:?} in {runs} runs, {known:?} in {before}"
                        );
                    }
                }
                let known = rate(before, |run| map(run, 24));
                for now in [rate(runs, |run| map(2 * run, 24)), rate(runs, |run| map(run, 64))] {
                    assert!(
                        now.least > with_room(known.most),
                        "{now:?} in {runs} runs, {known:?} in {before}"
                    );
                }
            }
        }
        // New blocks are proven by two runs.
        let blocks = |bytes| rate(2, move |run| (run * bytes, run));
        assert!(blocks(64).least > with_room(blocks(40).most));
    }

    #[test]
    fn a_buffer_tells_its_rate_by_its_last_growths() {
        assert_eq!(
            rate(1000, |run| vector(run, 16)),
            Rate { pace: Pace::Buffer, least: 15, most: 17 }
        );
        // A list that is filled beforehand.
        let filled = rate(3000, |run| vector(1000 + run, 16));
        assert_eq!((filled.least, filled.most), (15, 17));
    }
}
