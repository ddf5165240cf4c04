//! The recipe "Pretty top" of Python's documentation.

use crate::model::linecache::Sources;
use crate::model::statistic::Statistic;

/// The first `limit` groups as lines without newlines, with their source lines, and the total of
/// all groups.
///
/// A group goes by the oldest frame of its traceback. That is the only one unless the key type is
/// [`KeyType::Traceback`](crate::KeyType::Traceback). All sizes are in KiB. The total is that of
/// the groups, so cumulative groups count a block repeatedly.
///
/// Python: the function `display_top` of the documentation's recipe "Pretty top".
///
/// ```
/// use tracemalloc::{Frame, KeyType, Snapshot, Sources, Trace, Traceback, pretty_top};
///
/// let trace = |line, size| Trace::new(0, size, Traceback::new([Frame::new("demo.rs", line)], None));
/// let snapshot = Snapshot::new(vec![trace(2, 4096), trace(3, 512)], 1);
/// let mut sources = Sources::new();
/// sources.insert("demo.rs", "fn main() {\n    let page = vec![0u8; 4096];\n    log(&page);\n}\n");
///
/// assert_eq!(pretty_top(&snapshot.statistics(KeyType::Lineno, false)?, 1, &mut sources), [
///     "Top 1 lines",
///     "#1: demo.rs:2: 4.0 KiB",
///     "    let page = vec![0u8; 4096];",
///     "1 other: 0.5 KiB",
///     "Total allocated size: 4.5 KiB",
/// ]);
/// # Ok::<(), tracemalloc::KeyTypeError>(())
/// ```
pub fn pretty_top(statistics: &[Statistic], limit: usize, sources: &mut Sources) -> Vec<String> {
    let (top, others) = statistics.split_at(limit.min(statistics.len()));
    let mut lines = vec![format!("Top {limit} lines")];
    for (index, statistic) in top.iter().enumerate() {
        let frame = &statistic.traceback[0];
        lines.push(format!("#{}: {frame}: {}", index + 1, kib(statistic.size)));
        if let Some(line) = sources.line(frame.filename(), frame.lineno()) {
            lines.push(format!("    {line}"));
        }
    }
    if !others.is_empty() {
        lines.push(format!("{} other: {}", others.len(), kib(total(others))));
    }
    lines.push(format!("Total allocated size: {}", kib(total(statistics))));
    lines
}

/// The sum of all sizes. A sum that does not fit stays at the bound.
fn total(statistics: &[Statistic]) -> u64 {
    statistics.iter().fold(0, |sum, statistic| sum.saturating_add(statistic.size))
}

fn kib(size: u64) -> String {
    format!("{:.1} KiB", size as f64 / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::pretty_top;
    use crate::model::frame::Frame;
    use crate::model::linecache::Sources;
    use crate::model::statistic::Statistic;
    use crate::model::traceback::Traceback;

    fn lines(sizes: &[u64], limit: usize) -> Vec<String> {
        let traceback = Traceback::new([Frame::new("a.rs", 1)], None);
        let statistics: Vec<Statistic> = sizes
            .iter()
            .map(|&size| Statistic { traceback: traceback.clone(), size, count: 1, size_error: 0 })
            .collect();
        pretty_top(&statistics, limit, &mut Sources::in_memory())
    }

    #[test]
    fn the_limit_may_be_anything() {
        assert_eq!(lines(&[], 10), ["Top 10 lines", "Total allocated size: 0.0 KiB"]);
        assert_eq!(
            lines(&[1024, 512], 0),
            ["Top 0 lines", "2 other: 1.5 KiB", "Total allocated size: 1.5 KiB"]
        );
        assert_eq!(
            lines(&[51], usize::MAX)[1..],
            ["#1: a.rs:1: 0.0 KiB", "Total allocated size: 0.0 KiB"]
        );
    }

    #[test]
    fn a_total_that_does_not_fit_stays_at_the_bound() {
        assert_eq!(
            lines(&[u64::MAX, u64::MAX], 1).last().unwrap(),
            "Total allocated size: 18014398509481984.0 KiB"
        );
    }
}
