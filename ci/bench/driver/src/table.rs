//! Results as tables, aligned for a terminal or as Markdown.

use crate::results::{Comparison, Group, Results, Row};

/// Prints everything.
pub fn print(results: &Results, markdown: bool) {
    for (group, heading) in [(Group::Time, "Time, as a multiple of untraced"), (Group::Memory, "Memory a live block")] {
        let rows: Vec<&Row> = results.rows.iter().filter(|row| row.group == group).collect();
        if rows.is_empty() {
            continue;
        }
        println!("{}{heading}\n", if markdown { "### " } else { "" });
        print_table(&matrix(&rows), markdown);
        println!();
    }
}

/// A line for each thing that was measured, a column for each tracer.
fn matrix(rows: &[&Row]) -> Vec<Vec<String>> {
    let mut peers: Vec<&str> = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for row in rows {
        if !peers.contains(&row.peer.as_str()) {
            peers.push(&row.peer);
        }
        if !names.contains(&row.name.as_str()) {
            names.push(&row.name);
        }
    }
    let mut header = vec!["workload".to_owned(), rows[0].baseline.clone()];
    for peer in &peers {
        header.push((*peer).to_owned());
        if *peer == "ours" {
            header.extend(["from to".to_owned(), "at most".to_owned()]);
        }
    }
    let mut lines = vec![header];
    for name in names {
        let of = |peer: &str| rows.iter().find(|row| row.name == name && row.peer == peer);
        let mut line = vec![name.to_owned(), of("ours").map_or(String::new(), |row| value(row, row.baseline_median))];
        for peer in &peers {
            line.push(of(peer).map_or(String::new(), |row| compared(row, row.compared)));
            if *peer == "ours" {
                line.push(of(peer).map_or(String::new(), |row| {
                    format!("{} - {}", compared(row, row.least), compared(row, row.greatest))
                }));
                line.push(of(peer).and_then(|row| Some(compared(row, row.goal?))).unwrap_or_default());
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
        Comparison::Ratio if compared < 9.95 => format!("{compared:.2}"),
        Comparison::Ratio => format!("{compared:.0}"),
        Comparison::Difference => format!("{compared:+.1} B"),
    }
}

fn print_table(lines: &[Vec<String>], markdown: bool) {
    let columns = lines[0].len();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for (number, line) in lines.iter().enumerate() {
        let cells: Vec<String> = line
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, &width))| match column {
                0 => format!("{cell:width$}"),
                _ => format!("{cell:>width$}"),
            })
            .collect();
        if markdown {
            println!("| {} |", cells.join(" | "));
            if number == 0 {
                let rules = widths.iter().enumerate().map(|(column, &width)| match column {
                    0 => "-".repeat(width),
                    _ => format!("{}:", "-".repeat(width.saturating_sub(1).max(1))),
                });
                println!("| {} |", rules.collect::<Vec<_>>().join(" | "));
            }
        } else {
            println!("{}", cells.join("  ").trim_end());
        }
    }
}
