//! The results of snapshot commands as JSON. `docs/snapshot.md` describes each field.

use anyhow::Result;
use serde::Serialize;
use tracemalloc::internal::held_memory::HeldPlace;
use tracemalloc::{Sources, Statistic, StatisticDiff, Traceback};

use crate::output::json;
use crate::snapshot::{HeldChange, HeldChanges, SnapshotQuery};

/// The version of the documents' format.
const SCHEMA: u32 = 1;

/// The output of `top` and `show`.
#[derive(Serialize)]
struct Statistics<'a> {
    schema: u32,
    command: &'a str,
    options: Options<'a>,
    groups: usize,
    size: u64,
    count: u64,
    statistics: Vec<Group<'a>>,
}

/// The output of `diff`.
#[derive(Serialize)]
struct Differences<'a> {
    schema: u32,
    command: &'a str,
    options: Options<'a>,
    groups: usize,
    size: u64,
    size_diff: i64,
    count: u64,
    count_diff: i64,
    differences: Vec<Difference<'a>>,
    holders: Option<Vec<Held<'a>>>,
    holders_note: Option<&'a str>,
}

/// The output of `holders`.
#[derive(Serialize)]
struct Holders<'a> {
    schema: u32,
    command: &'a str,
    groups: usize,
    holders: Vec<Holder<'a>>,
    holders_note: Option<&'a str>,
}

#[derive(Serialize)]
struct Holder<'a> {
    size: u64,
    count: u64,
    path: Vec<Place<'a>>,
}

#[derive(Serialize)]
struct Held<'a> {
    size: u64,
    size_diff: i64,
    count: u64,
    count_diff: i64,
    path: Vec<Place<'a>>,
}

#[derive(Serialize)]
struct Place<'a> {
    kind: &'static str,
    name: Option<&'a str>,
    thread: Option<&'a str>,
    start: Option<&'a str>,
    file: Option<&'a str>,
    line: Option<u32>,
}

#[derive(Serialize)]
struct Options<'a> {
    key_type: String,
    cumulative: bool,
    limit: usize,
    include: &'a [String],
    exclude: &'a [String],
    all_frames: bool,
    domain: Option<u32>,
}

#[derive(Serialize)]
struct Group<'a> {
    size: u64,
    count: u64,
    traceback: Vec<Frame<'a>>,
}

#[derive(Serialize)]
struct Difference<'a> {
    size: u64,
    size_diff: i64,
    count: u64,
    count_diff: i64,
    traceback: Vec<Frame<'a>>,
}

#[derive(Serialize)]
struct Frame<'a> {
    filename: &'a str,
    lineno: u32,
    column: Option<u32>,
    function: Option<&'a str>,
    source: Option<String>,
}

/// The document of `command`, with a line feed at the end.
pub fn statistics(
    command: &str,
    query: &mut SnapshotQuery<'_>,
    statistics: &[Statistic],
) -> Result<String> {
    let shown = statistics.iter().take(query.args.limit);
    let groups = shown.map(|statistic| Group {
        size: statistic.size,
        count: statistic.count,
        traceback: frames(&statistic.traceback, &mut query.sources),
    });
    let groups = groups.collect();
    json::render(&Statistics {
        schema: SCHEMA,
        command,
        options: options(query),
        groups: statistics.len(),
        size: sum(statistics.iter().map(|statistic| statistic.size)),
        count: sum(statistics.iter().map(|statistic| statistic.count)),
        statistics: groups,
    })
}

/// The document of `diff`, with a line feed at the end.
pub fn differences(
    query: &mut SnapshotQuery<'_>,
    differences: &[StatisticDiff],
    held: Option<&HeldChanges>,
) -> Result<String> {
    let shown = differences.iter().take(query.args.limit);
    let groups = shown.map(|difference| Difference {
        size: difference.size,
        size_diff: difference.size_diff,
        count: difference.count,
        count_diff: difference.count_diff,
        traceback: frames(&difference.traceback, &mut query.sources),
    });
    let groups = groups.collect();
    json::render(&Differences {
        schema: SCHEMA,
        command: "diff",
        options: options(query),
        groups: differences.len(),
        size: sum(differences.iter().map(|difference| difference.size)),
        size_diff: signed_sum(differences.iter().map(|difference| difference.size_diff)),
        count: sum(differences.iter().map(|difference| difference.count)),
        count_diff: signed_sum(differences.iter().map(|difference| difference.count_diff)),
        differences: groups,
        holders: held.map(|held| self::held(held, query.args.limit)),
        holders_note: held.and_then(|held| held.note.as_deref()),
    })
}

/// The document of `holders`, with a line feed at the end. Its amounts are no changes.
pub fn holders(held: &HeldChanges, limit: usize) -> Result<String> {
    let shown = held.changes.iter().take(limit);
    json::render(&Holders {
        schema: SCHEMA,
        command: "holders",
        groups: held.changes.len(),
        holders: shown
            .map(|change| Holder { size: change.size, count: change.count, path: path(change) })
            .collect(),
        holders_note: held.note.as_deref(),
    })
}

fn held(held: &HeldChanges, limit: usize) -> Vec<Held<'_>> {
    let held = held.changes.iter().take(limit).map(|change| {
        let HeldChange { size, size_diff, count, count_diff, .. } = *change;
        Held { size, size_diff, count, count_diff, path: path(change) }
    });
    held.collect()
}

fn path(change: &HeldChange) -> Vec<Place<'_>> {
    change.path.iter().map(Place::of).collect()
}

impl<'a> Place<'a> {
    fn of(place: &'a HeldPlace) -> Self {
        Self {
            kind: place.kind.name(),
            name: place.name.as_deref(),
            thread: place.thread.as_deref(),
            start: place.start.as_deref(),
            file: place.file.as_deref(),
            line: place.line,
        }
    }
}

fn options<'a>(query: &SnapshotQuery<'a>) -> Options<'a> {
    let args = query.args;
    Options {
        key_type: args.by.to_string(),
        cumulative: args.cumulative,
        limit: args.limit,
        include: &args.filter.include,
        exclude: &args.filter.exclude,
        all_frames: args.filter.all_frames,
        domain: args.filter.domain,
    }
}

fn frames<'a>(traceback: &'a Traceback, sources: &mut Sources) -> Vec<Frame<'a>> {
    let frame = |frame: &'a tracemalloc::Frame| Frame {
        filename: frame.filename(),
        lineno: frame.lineno(),
        column: frame.column(),
        function: frame.function(),
        source: sources.line(frame.filename(), frame.lineno()).map(str::to_owned),
    };
    traceback.iter().map(frame).collect()
}

/// A sum that stays at the bound, like those of the groups.
fn sum(numbers: impl Iterator<Item = u64>) -> u64 {
    numbers.fold(0, u64::saturating_add)
}

/// A sum that is bounded at the end, so that the order of the numbers does not matter.
fn signed_sum(numbers: impl Iterator<Item = i64>) -> i64 {
    let sum: i128 = numbers.map(i128::from).sum();
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::{signed_sum, sum};

    #[test]
    fn sums_that_do_not_fit_stay_at_the_bound() {
        assert_eq!(sum([u64::MAX, 1].into_iter()), u64::MAX);
        assert_eq!(signed_sum([i64::MAX, 1, -2].into_iter()), i64::MAX - 1);
        assert_eq!(signed_sum([i64::MAX, 1].into_iter()), i64::MAX);
        assert_eq!(signed_sum([i64::MIN, -1].into_iter()), i64::MIN);
    }
}
