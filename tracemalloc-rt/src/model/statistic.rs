//! Statistics of groups of blocks, of one snapshot or of two: their order and their text.

use std::cmp::Reverse;
use std::fmt;

use crate::model::format_size::format_size;
use crate::model::group::{Grouping, Side};
use crate::model::key_type::{KeyType, KeyTypeError};
use crate::model::traceback::Traceback;

/// The blocks of one group of one snapshot. Made by
/// [`Snapshot::statistics`](crate::Snapshot::statistics).
///
/// `Display` is Python's `str()`, `Debug` its `repr()`.
///
/// Python: `tracemalloc.Statistic`.
///
/// ```
/// use tracemalloc::{Frame, Statistic, Traceback};
///
/// let traceback = Traceback::new([Frame::new("b.rs", 1)], None);
/// let statistic = Statistic { traceback, size: 66, count: 4, size_error: 0 };
/// assert_eq!(statistic.to_string(), "b.rs:1: size=66 B, count=4, average=16 B");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Statistic {
    /// The frames that all blocks of the group share: one, or for [`KeyType::Traceback`] all of
    /// them, oldest first. Functions and columns are those of the group's first block.
    pub traceback: Traceback,
    /// Bytes.
    pub size: u64,
    /// Blocks.
    pub count: u64,
    /// The standard error of `size`, in bytes, if the blocks were sampled
    /// ([`start_sampled`](crate::start_sampled)). 0 if all are there, and then the size is exact.
    /// Not in Python.
    pub size_error: u64,
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (size, count) = (self.size, self.count);
        write!(f, "{}: ", self.traceback)?;
        write!(f, "size={}", format_size(size as f64, false))?;
        if self.size_error != 0 {
            write!(f, " ±{}", format_size(self.size_error as f64, false))?;
        }
        write!(f, ", count={count}")?;
        write_average(f, size, count)
    }
}

impl fmt::Debug for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<Statistic traceback={:?} ", self.traceback)?;
        write!(f, "size={} count={}>", self.size, self.count)
    }
}

/// The blocks of one group of a snapshot, against those of an older snapshot. Made by
/// [`Snapshot::compare_to`](crate::Snapshot::compare_to).
///
/// `Display` is Python's `str()`, `Debug` its `repr()`. Differences that do not fit stay at the
/// bound.
///
/// Python: `tracemalloc.StatisticDiff`.
///
/// ```
/// use tracemalloc::{Frame, StatisticDiff, Traceback};
///
/// let traceback = Traceback::new([Frame::new("a.rs", 5)], None);
/// let diff = StatisticDiff { traceback, size: 5002, size_diff: 5000, count: 2, count_diff: 1 };
/// assert_eq!(diff.to_string(), "a.rs:5: size=5002 B (+5000 B), count=2 (+1), average=2501 B");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct StatisticDiff {
    /// The frames that all blocks of the group share, as in [`Statistic::traceback`].
    pub traceback: Traceback,
    /// Bytes in the new snapshot; 0 if the group is gone.
    pub size: u64,
    /// Bytes in the new snapshot minus bytes in the old one.
    pub size_diff: i64,
    /// Blocks in the new snapshot; 0 if the group is gone.
    pub count: u64,
    /// Blocks in the new snapshot minus blocks in the old one.
    pub count_diff: i64,
}

impl fmt::Display for StatisticDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (size, count) = (self.size, self.count);
        let size_diff = format_size(self.size_diff as f64, true);
        write!(f, "{}: ", self.traceback)?;
        write!(f, "size={} ({size_diff}), ", format_size(size as f64, false))?;
        write!(f, "count={count} ({:+})", self.count_diff)?;
        write_average(f, size, count)
    }
}

impl fmt::Debug for StatisticDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<StatisticDiff traceback={:?} ", self.traceback)?;
        write!(f, "size={} ({:+}) ", self.size, self.size_diff)?;
        write!(f, "count={} ({:+})>", self.count, self.count_diff)
    }
}

fn write_average(f: &mut fmt::Formatter<'_>, size: u64, count: u64) -> fmt::Result {
    if count == 0 {
        return Ok(());
    }
    let average = format_size(size as f64 / count as f64, false);
    write!(f, ", average={average}")
}

/// The statistics of one snapshot. No two have the same traceback, so the order is total.
pub(crate) fn statistics(
    side: Side<'_>,
    key_type: KeyType,
    cumulative: bool,
) -> Result<Vec<Statistic>, KeyTypeError> {
    let mut grouping = Grouping::new(key_type, cumulative)?;
    grouping.add(side, |group| &mut group.new);
    let mut statistics: Vec<Statistic> = grouping
        .into_groups()
        .into_iter()
        .map(|group| Statistic {
            traceback: group.traceback,
            size: group.new.size(),
            count: group.new.count(),
            size_error: group.new.size_error(),
        })
        .collect();
    statistics.sort_unstable_by(|a, b| {
        let key = |s: &Statistic| Reverse((s.size, s.count));
        key(a).cmp(&key(b)).then_with(|| b.traceback.cmp(&a.traceback))
    });
    Ok(statistics)
}

/// The statistics of two snapshots: the groups of either, including unchanged ones.
pub(crate) fn differences(
    new: Side<'_>,
    old: Side<'_>,
    key_type: KeyType,
    cumulative: bool,
) -> Result<Vec<StatisticDiff>, KeyTypeError> {
    let mut grouping = Grouping::new(key_type, cumulative)?;
    grouping.add(new, |group| &mut group.new);
    grouping.add(old, |group| &mut group.old);
    let mut differences: Vec<StatisticDiff> = grouping
        .into_groups()
        .into_iter()
        .map(|group| {
            let (size, count) = (group.new.size(), group.new.count());
            StatisticDiff {
                traceback: group.traceback,
                size,
                size_diff: difference(size, group.old.size()),
                count,
                count_diff: difference(count, group.old.count()),
            }
        })
        .collect();
    differences.sort_unstable_by(|a, b| {
        let key = |d: &StatisticDiff| {
            let (size_diff, count_diff) = (d.size_diff, d.count_diff);
            Reverse((size_diff.unsigned_abs(), d.size, count_diff.unsigned_abs(), d.count))
        };
        key(a).cmp(&key(b)).then_with(|| b.traceback.cmp(&a.traceback))
    });
    Ok(differences)
}

/// A difference that does not fit stays at the bound.
fn difference(new: u64, old: u64) -> i64 {
    let magnitude = i64::try_from(new.abs_diff(old)).unwrap_or(i64::MAX);
    if new < old { -magnitude } else { magnitude }
}
