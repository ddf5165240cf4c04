//! The results of snapshot commands as text, in the words of Python's documentation.

use tracemalloc::{Statistic, StatisticDiff, pretty_top};

use crate::snapshot_query::SnapshotQuery;
use crate::util::terminal;

/// The recipe "Pretty top".
pub fn top(query: &mut SnapshotQuery<'_>, statistics: &[Statistic]) -> String {
    page(pretty_top(statistics, query.args.limit, &mut query.sources))
}

/// `[ Top 10 differences ]`, and Python's text of each.
pub fn diff(query: &SnapshotQuery<'_>, differences: &[StatisticDiff]) -> String {
    let limit = query.args.limit;
    let heading = format!("[ Top {limit} differences ]");
    page(std::iter::once(heading).chain(differences.iter().take(limit).map(ToString::to_string)))
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
