//! The state of a live view: two moments, an order, a filter; and the rows that they make.

use std::cmp::Reverse;
use std::collections::HashMap;

use tracemalloc::internal::held_memory::HeldMemory;

use crate::output::snapshot::held_path::held_path;
use crate::output::text::growth::{signed_size, size};
use crate::snapshot::{HeldChange, HeldChanges, Moment};
use crate::util::terminal::escaped_line;

/// The order of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// The most growth first.
    Growth,
    /// The most bytes first.
    Size,
    /// The most blocks first.
    Count,
    /// By name.
    Name,
}

impl Sort {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Growth => "growth",
            Self::Size => "size",
            Self::Count => "count",
            Self::Name => "name",
        }
    }

    /// The next one, in a circle.
    fn next(self) -> Self {
        match self {
            Self::Growth => Self::Size,
            Self::Size => Self::Count,
            Self::Count => Self::Name,
            Self::Name => Self::Growth,
        }
    }
}

/// A line of code, or the path from a holder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its name, without control characters.
    pub name: String,
    /// Bytes now.
    pub size: u64,
    /// The difference to the earlier moment.
    pub size_diff: i64,
    /// Blocks now.
    pub count: u64,
    /// The difference to the earlier moment.
    pub count_diff: i64,
}

/// The state of a view.
#[derive(Debug, Clone)]
pub struct View {
    /// The program or the file, for the title.
    pub title: String,
    /// The newest moment.
    pub now: Moment,
    /// The order of rows.
    pub sort: Sort,
    /// Only rows that contain it are shown.
    pub filter: String,
    start: Moment,
    mark: Option<Moment>,
}

impl View {
    /// A view that begins at this moment.
    pub fn new(title: String, start: Moment) -> Self {
        let title = escaped_line(&title);
        let (sort, filter) = (Sort::Growth, String::new());
        Self { title, now: start.clone(), sort, filter, start, mark: None }
    }

    /// Marks this moment: differences are those to it from now on.
    pub fn mark(&mut self) {
        self.mark = Some(self.now.clone());
    }

    /// Forgets the mark: differences are those to the start again.
    pub fn unmark(&mut self) {
        self.mark = None;
    }

    /// Takes the next order.
    pub fn sort_next(&mut self) {
        self.sort = self.sort.next();
    }

    /// The memory in one line: `14.7 KiB now, 20.1 KiB at the peak, +10000 B since the start`.
    pub fn summary(&self) -> String {
        let before = self.before();
        let grown = difference(before.current, self.now.current);
        let peak =
            self.now.peak.map_or(String::new(), |peak| format!(", {} at the peak", size(peak)));
        let since = if self.mark.is_some() { "the mark" } else { "the start" };
        let elapsed =
            self.now.seconds.zip(before.seconds).map_or(String::new(), |(now, before)| {
                format!(", {:.0} s ago", (now - before).max(0.0))
            });
        format!(
            "{} now{peak}, {} since {since}{elapsed}",
            size(self.now.current),
            signed_size(grown)
        )
    }

    /// The lines of code that pass the filter, in order.
    pub fn lines(&self) -> Vec<Row> {
        let mut rows: HashMap<&str, Row> = HashMap::new();
        let row = |name: &str| Row {
            name: escaped_line(name),
            size: 0,
            size_diff: 0,
            count: 0,
            count_diff: 0,
        };
        for line in &self.now.lines {
            let row = rows.entry(&line.name).or_insert_with(|| row(&line.name));
            (row.size, row.count) = (line.size, line.count);
        }
        let before: HashMap<&str, (u64, u64)> =
            self.before().lines.iter().map(|line| (&*line.name, (line.size, line.count))).collect();
        for name in before.keys() {
            rows.entry(name).or_insert_with(|| row(name));
        }
        for (name, row) in &mut rows {
            let (size, count) = before.get(name).copied().unwrap_or_default();
            row.size_diff = difference(size, row.size);
            row.count_diff = difference(count, row.count);
        }
        self.sorted(rows.into_values().collect())
    }

    /// The paths from holders that pass the filter, in order.
    pub fn holders(&self) -> Vec<Row> {
        let nothing = HeldMemory::default();
        let held = |moment: &'_ Moment| moment.held.clone().unwrap_or_default();
        let (before, now) = (held(self.before()), held(&self.now));
        let mut changes = HeldChanges::between(&before, &now).changes;
        let is_related = |a: &HeldChange, b: &HeldChange| {
            a.path.starts_with(&b.path) || b.path.starts_with(&a.path)
        };
        // A holder that has not changed is shown whole.
        let others: Vec<HeldChange> = HeldChanges::between(&nothing, &now)
            .changes
            .into_iter()
            .filter(|other| !changes.iter().any(|change| is_related(change, other)))
            .map(|other| HeldChange { size_diff: 0, count_diff: 0, ..other })
            .collect();
        changes.extend(others);
        let rows = changes.iter().map(|change| Row {
            name: escaped_line(&held_path(&change.path)),
            size: change.size,
            size_diff: change.size_diff,
            count: change.count,
            count_diff: change.count_diff,
        });
        self.sorted(rows.collect())
    }

    /// The reason, if holders are missing.
    pub fn held_note(&self) -> Option<String> {
        match &self.now.held {
            None => Some("unknown: the snapshot does not tell".to_owned()),
            Some(held) if held.rows.is_empty() => {
                held.note.as_ref().map(|why| escaped_line(&format!("unknown, because {why}")))
            }
            Some(_) => None,
        }
    }

    fn before(&self) -> &Moment {
        self.mark.as_ref().unwrap_or(&self.start)
    }

    fn sorted(&self, mut rows: Vec<Row>) -> Vec<Row> {
        rows.retain(|row| row.name.contains(&self.filter) && (row.size > 0 || row.size_diff != 0));
        rows.sort_by(|a, b| {
            let by_size = (Reverse(a.size), &a.name).cmp(&(Reverse(b.size), &b.name));
            match self.sort {
                Sort::Growth => b.size_diff.cmp(&a.size_diff).then(by_size),
                Sort::Size => by_size,
                Sort::Count => b.count.cmp(&a.count).then(by_size),
                Sort::Name => a.name.cmp(&b.name),
            }
        });
        rows
    }
}

fn difference(old: u64, new: u64) -> i64 {
    let difference = i128::from(new) - i128::from(old);
    i64::try_from(difference).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Line;

    fn moment(lines: &[(&str, u64, u64)]) -> Moment {
        let lines = lines.iter().map(|(name, size, count)| Line {
            name: (*name).to_owned(),
            size: *size,
            count: *count,
        });
        let lines: Vec<Line> = lines.collect();
        Moment { current: lines.iter().map(|line| line.size).sum(), lines, ..Moment::default() }
    }

    fn names(view: &View) -> Vec<String> {
        view.lines().iter().map(|row| format!("{} {:+}", row.name, row.size_diff)).collect()
    }

    #[test]
    fn a_mark_is_what_differences_are_to() {
        let mut view = View::new("x".to_owned(), moment(&[("a", 10, 1), ("b", 20, 9)]));
        assert_eq!(view.summary(), "30 B now, +0 B since the start");
        view.now = moment(&[("a", 15, 1), ("b", 20, 9), ("c", 4, 1)]);
        assert_eq!(names(&view), ["a +5", "c +4", "b +0"]);
        view.mark();
        view.now = moment(&[("a", 15, 1), ("c", 10, 1)]);
        assert_eq!(names(&view), ["c +6", "a +0", "b -20"]);
        assert_eq!(view.summary(), "25 B now, -14 B since the mark");
        view.unmark();
        assert_eq!(names(&view), ["c +10", "a +5", "b -20"]);
    }

    #[test]
    fn rows_are_sorted_filtered_and_escaped() {
        let start =
            moment(&[("src/a\u{1b}[2J.rs:1", 10, 1), ("src/b.rs:2", 5, 9), ("c.rs:3", 7, 2)]);
        let mut view = View::new("\u{1b}x".to_owned(), start);
        assert_eq!(view.title, "\\u{1b}x");
        let mut orders = Vec::new();
        for _ in 0..4 {
            orders.push(format!("{}: {}", view.sort.name(), names(&view).join(", ")));
            view.sort_next();
        }
        let escaped = "src/a\\u{1b}[2J.rs:1 +0";
        assert_eq!(
            orders,
            [
                format!("growth: {escaped}, c.rs:3 +0, src/b.rs:2 +0"),
                format!("size: {escaped}, c.rs:3 +0, src/b.rs:2 +0"),
                format!("count: src/b.rs:2 +0, c.rs:3 +0, {escaped}"),
                format!("name: c.rs:3 +0, {escaped}, src/b.rs:2 +0"),
            ]
        );
        view.filter = "src/".to_owned();
        assert_eq!(view.lines().len(), 2);
    }
}
