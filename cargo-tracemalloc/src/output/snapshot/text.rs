//! The results of snapshot commands as text, in the words of Python's documentation.

use tracemalloc::{KeyType, Statistic, StatisticDiff, pretty_top};

use crate::cli::GroupBy;
use crate::output::snapshot::held_path::held_path;
use crate::output::text::growth::{signed_size, size};
use crate::snapshot::{HeldChange, HeldChanges, SnapshotQuery};
use crate::util::terminal;

/// The recipe "Pretty top".
pub fn top(query: &mut SnapshotQuery<'_>, statistics: &[Statistic]) -> String {
    page(pretty_top(statistics, query.args.limit, &mut query.sources))
}

/// The holders that hold more or less, and then the lines.
pub fn diff(
    query: &mut SnapshotQuery<'_>,
    differences: &[StatisticDiff],
    held: Option<&HeldChanges>,
) -> String {
    let limit = query.args.limit;
    let mut lines = held.map_or(Vec::new(), |held| held_changes(held, limit));
    lines.push(format!("[ Top {limit} differences ]"));
    let differences = differences.iter().take(limit);
    if query.args.by == GroupBy::Key(KeyType::Traceback) {
        for difference in differences {
            lines.push(whole(difference));
            lines.extend(difference.traceback.format_with(&mut query.sources, None, false));
            lines.push(String::new());
        }
        // Blank lines separate groups, and none follows the last one.
        lines.pop_if(|line| line.is_empty());
    } else {
        lines.extend(differences.map(ToString::to_string));
    }
    page(lines)
}

/// `[ Top 10 holders ]`, and the change of each. A blank line follows.
fn held_changes(held: &HeldChanges, limit: usize) -> Vec<String> {
    let mut lines = vec![format!("[ Top {limit} holders ]")];
    lines.extend(held_note(held));
    lines.extend(held.changes.iter().take(limit).map(|change| {
        let HeldChange { size, size_diff, count, count_diff, .. } = *change;
        let (size, diff) = (self::size(size), signed_size(size_diff));
        format!("{}: size={size} ({diff}), count={count} ({count_diff:+})", held_path(&change.path))
    }));
    lines.push(String::new());
    lines
}

/// A line in place of holders, or about lost blocks that may be held.
fn held_note(held: &HeldChanges) -> Option<String> {
    match (&held.note, held.changes.is_empty()) {
        (Some(why), true) => Some(format!("unknown, because {why}")),
        (Some(why), false) => Some(format!("some lost blocks may be held, because {why}")),
        (None, true) => Some("no change".to_owned()),
        (None, false) => None,
    }
}

/// The amounts of a difference without its place: its traceback follows.
fn whole(difference: &StatisticDiff) -> String {
    let StatisticDiff { size, size_diff, count, count_diff, .. } = *difference;
    let (size, diff) = (self::size(size), signed_size(size_diff));
    format!("size={size} ({diff}), count={count} ({count_diff:+})")
}

/// `[ Top 10 holders ]`, and the memory of each.
pub fn holders(held: &HeldChanges, limit: usize) -> String {
    let mut lines = vec![format!("[ Top {limit} holders ]")];
    lines.extend(held_note(held));
    lines.extend(held.changes.iter().take(limit).map(|change| {
        let HeldChange { size, count, .. } = *change;
        format!("{}: size={}, count={count}", held_path(&change.path), self::size(size))
    }));
    page(lines)
}

/// The blocks and the traceback of each group.
pub fn show(query: &mut SnapshotQuery<'_>, statistics: &[Statistic]) -> String {
    let (shown, others) = statistics.split_at(query.args.limit.min(statistics.len()));
    let mut lines = Vec::new();
    for statistic in shown {
        lines.push(memory_blocks(statistic.count, statistic.size));
        lines.extend(statistic.traceback.format_with(&mut query.sources, None, false));
        lines.push(String::new());
    }
    if others.is_empty() {
        // Blank lines separate groups, and none follows the last one.
        lines.pop();
    } else {
        let size = others.iter().fold(0, |sum: u64, statistic| sum.saturating_add(statistic.size));
        lines.push(format!("{} other: {}", others.len(), kib(size)));
    }
    if statistics.is_empty() {
        lines.push(memory_blocks(0, 0));
    }
    page(lines)
}

/// Python's documentation ignores the singular.
fn memory_blocks(count: u64, size: u64) -> String {
    format!("{count} memory blocks: {}", kib(size))
}

fn kib(size: u64) -> String {
    #[expect(
        clippy::cast_precision_loss,
        reason = "Python divides as floating point too; one decimal is shown"
    )]
    let size = size as f64;
    format!("{:.1} KiB", size / 1024.0)
}

/// Joins lines, and escapes control characters. File names may come from a file of an attacker, and
/// must not control the terminal.
fn page(lines: impl IntoIterator<Item = String>) -> String {
    let mut page = String::new();
    for line in lines {
        page.push_str(&terminal::escaped(&line).replace('\n', "\\n"));
        page.push('\n');
    }
    page
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn a_name_does_not_command_the_terminal() {
        let lines = ["a\u{1b}[2J\u{9b}1m\r\n.rs:1: \t\u{e9}\u{1f600}".to_owned(), String::new()];
        assert_eq!(page(lines), "a\\u{1b}[2J\\u{9b}1m\\r\\n.rs:1: \t\u{e9}\u{1f600}\n\n");
    }
}
