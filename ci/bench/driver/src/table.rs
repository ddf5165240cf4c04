//! Results as tables, aligned for a terminal or as Markdown.

use std::collections::BTreeSet;

use crate::peer::OURS;
use crate::results::{Comparison, Group, Results, Row, distinct};

const GROUPS: [(Group, &str); 5] = [
    (Group::Time, "Time, as a multiple of the same work untraced"),
    (Group::Memory, "Resident memory for each live block, more than untraced"),
    (
        Group::Snapshot,
        "Snapshot and statistics by line of 1,000,000 live blocks, as a multiple of CPython's time",
    ),
    (Group::Suite, "Whole test suites, as a multiple of `cargo nextest run`"),
    (Group::FirstBuild, "First build of the injected code, as a multiple of a program's"),
];

/// Prints these results.
pub fn print(results: &Results, markdown: bool) {
    let dates: BTreeSet<&str> = results.rows.iter().map(|row| row.date.as_str()).collect();
    println!("{}; {}\n", results.machine, dates.into_iter().collect::<Vec<_>>().join(", "));
    for (group, heading) in GROUPS {
        let rows: Vec<&Row> = results.rows.iter().filter(|row| row.group == group).collect();
        if rows.is_empty() {
            continue;
        }
        println!("{}{heading}\n", if markdown { "### " } else { "" });
        print_table(&matrix(&rows), markdown);
        for remark in remarks(&rows) {
            println!("\n{remark}");
        }
        println!();
    }
}

/// Columns of this tracer besides the comparison itself.
type Column = (&'static str, fn(&Row) -> Option<String>);
const OF_OURS: [Column; 4] = [
    ("least - most", |row| {
        Some(format!("{} - {}", compared(row, row.least), compared(row, row.greatest)))
    }),
    ("processor", |row| Some(compared(row, row.processor?))),
    ("ns a block", |row| Some(format!("{:.0}", row.nanoseconds_a_block?))),
    ("goal", |row| Some(compared(row, row.goal?))),
];

/// A line for each thing that was measured, a column for each tracer.
fn matrix(rows: &[&Row]) -> Vec<Vec<String>> {
    let peers = distinct(rows, |row| &row.peer);
    let of_ours: Vec<Column> = OF_OURS
        .into_iter()
        .filter(|(_, text)| rows.iter().any(|row| text(row).is_some()))
        .collect();
    let mut header = vec![String::new(), rows[0].baseline.clone()];
    for peer in &peers {
        header.push((*peer).to_owned());
        if *peer == OURS.name {
            header.extend(of_ours.iter().map(|(heading, _)| (*heading).to_owned()));
        }
    }
    let mut lines = vec![header];
    for name in distinct(rows, |row| &row.name) {
        let of = |peer: &str| rows.iter().find(|row| row.name == name && row.peer == peer).copied();
        let ours = of(OURS.name);
        let mut line = vec![
            name.to_owned(),
            ours.map_or(String::new(), |row| value(row, row.baseline_median)),
        ];
        for peer in &peers {
            line.push(of(peer).map_or(String::new(), cell));
            if *peer == OURS.name {
                line.extend(
                    of_ours.iter().map(|(_, text)| ours.and_then(text).unwrap_or_default()),
                );
            }
        }
        lines.push(line);
    }
    lines
}

fn value(row: &Row, value: f64) -> String {
    match row.comparison {
        Comparison::Ratio => format!("{value:.3} s"),
        Comparison::Difference => format!("{value:.1} B"),
    }
}

fn compared(row: &Row, compared: f64) -> String {
    match row.comparison {
        Comparison::Ratio if compared < 0.1 => format!("{compared:.4}"),
        Comparison::Ratio if compared < 9.95 => format!("{compared:.2}"),
        Comparison::Ratio => format!("{compared:.0}"),
        Comparison::Difference => format!("{compared:.1} B"),
    }
}

fn cell(row: &Row) -> String {
    let part = if row.parts > 1 { "*" } else { "" };
    let note = if row.note.is_some() { "†" } else { "" };
    format!("{}{part}{note}", compared(row, row.compared))
}

/// Notes below a table.
fn remarks(rows: &[&Row]) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(row) = rows.iter().find(|row| row.parts > 1) {
        remarks
            .push(format!("\\*: one part of {} of the work, beside as much untraced.", row.parts));
    }
    let by_wall: Vec<&Row> = rows.iter().copied().filter(|row| row.by_wall).collect();
    if !by_wall.is_empty() && rows[0].group == Group::Time {
        let peers = distinct(&by_wall, |row| &row.peer);
        remarks.push(format!(
            "{}: time of the whole process, beside that of the untraced process.",
            peers.join(", ")
        ));
    }
    for row in rows {
        if let Some(note) = &row.note {
            remarks.push(format!("†: {}, {}: {note}.", row.name, row.peer));
        }
    }
    remarks
}

fn print_table(lines: &[Vec<String>], markdown: bool) {
    let columns = lines[0].len();
    let width = |column: usize| {
        lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0).max(2)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for (number, line) in lines.iter().enumerate() {
        let cells =
            line.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| match column {
                0 => format!("{cell:width$}"),
                _ => format!("{cell:>width$}"),
            });
        let cells: Vec<String> = cells.collect();
        if !markdown {
            println!("{}", cells.join("  ").trim_end());
            continue;
        }
        println!("| {} |", cells.join(" | "));
        if number == 0 {
            let rules = widths.iter().enumerate().map(|(column, &width)| match column {
                0 => "-".repeat(width),
                _ => format!("{}:", "-".repeat(width - 1)),
            });
            println!("| {} |", rules.collect::<Vec<_>>().join(" | "));
        }
    }
}
