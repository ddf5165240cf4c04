//! Precision and recall of the checkers.

use std::fmt::Write as _;

use crate::pair::Kind;
use crate::row::Row;

/// How often a checker was right.
#[derive(Default)]
struct Score {
    found: usize,
    missed: usize,
    false_alarms: usize,
    place: (usize, usize),
    holder: (usize, usize),
}

/// A table with a line for each checker.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| checker | found | missed | false alarms | precision | recall | place right \
         | holder right |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    let mut line = |name: &str, score: &Score| {
        let found = score.found;
        let _ = writeln!(
            text,
            "| {name} | {found} | {} | {} | {} | {} | {} | {} |",
            score.missed,
            score.false_alarms,
            ratio(found, found + score.false_alarms),
            ratio(found, found + score.missed),
            of(score.place),
            of(score.holder),
        );
    };
    let without_c: Vec<&Row> = rows.iter().filter(|row| row.pair.kind != Kind::C).collect();
    let all: Vec<&Row> = rows.iter().collect();
    line("ours", &ours(&all));
    line("ours, without C's memory", &ours(&without_c));
    line("LeakSanitizer", &other(&all, |row| (row.lsan.bytes > 0, row.lsan.place)));
    line("valgrind", &other(&all, |row| (row.valgrind.bytes > 0, row.valgrind.place)));
    text
}

fn ours(rows: &[&Row]) -> Score {
    let mut score = other(rows, |row| (row.ours.is_leak(), row.ours.place));
    for row in rows.iter().filter(|row| row.leak) {
        score.holder.0 += usize::from(row.ours.holder == Some(true));
        score.holder.1 += usize::from(row.ours.holder.is_some());
    }
    score
}

fn other(rows: &[&Row], verdict: impl Fn(&Row) -> (bool, Option<bool>)) -> Score {
    let mut score = Score::default();
    for row in rows {
        let (leak, place) = verdict(row);
        match (row.leak, leak) {
            (true, true) => {
                score.found += 1;
                score.place.0 += usize::from(place == Some(true));
                score.place.1 += usize::from(place.is_some());
            }
            (true, false) => score.missed += 1,
            (false, true) => score.false_alarms += 1,
            (false, false) => {}
        }
    }
    score
}

fn ratio(part: usize, whole: usize) -> String {
    if whole == 0 { "".into() } else { format!("{:.3}", part as f64 / whole as f64) }
}

fn of((part, whole): (usize, usize)) -> String {
    if whole == 0 { "".into() } else { format!("{part} of {whole}") }
}
