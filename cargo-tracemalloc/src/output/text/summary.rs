//! The last line: counts of verdicts, and the path of the report.

use tracemalloc_harness::GrowthKind;

use crate::output::text::line::{count, line};
use crate::report::Report;
use crate::util::terminal::{BAD, GOOD, NOTE};

/// `tracemalloc: 1 leak; 23 tests checked: 20 clean, 2 once, 1 leaking; report
/// target/tracemalloc/report.json`.
pub fn render(text: &mut String, report: &Report, report_path: &str) {
    let summary = &report.summary;
    let style = if report.fails() || summary.failed > 0 {
        BAD
    } else if summary.unconfirmed > 0 || summary.untraced > 0 {
        NOTE
    } else {
        GOOD
    };
    let counts = counts(report);
    line(text, format_args!("{style}tracemalloc:{style:#} {counts}; report {report_path}"));
}

/// `1 leak; 23 tests checked: 20 clean, 2 once, 1 leaking; 1 ignored`.
pub fn counts(report: &Report) -> String {
    let summary = &report.summary;
    let verdicts = [
        (summary.clean, "clean"),
        (summary.once, "once"),
        (summary.known, "known"),
        (summary.unconfirmed, "unconfirmed"),
        (summary.leak, "leaking"),
    ];
    let counts = list(&verdicts);
    let others = list(&[
        (summary.failed, "failed"),
        (summary.ignored, "ignored"),
        (summary.skipped, "skipped"),
        (summary.untraced, "untraced"),
        (summary.passed_alone, "passed alone"),
        (summary.mismatched, "mismatched"),
    ]);
    let of_programs = &summary.programs;
    let programs = list(&[
        (of_programs.clean, "clean"),
        (of_programs.known, "known"),
        (of_programs.leak, "leaking"),
        (of_programs.skipped, "skipped"),
        (of_programs.untraced, "untraced"),
    ]);
    let checked = match (summary.checked(), counts.is_empty()) {
        (checked, false) => format!("{} checked: {counts}", count(checked as u64, "test")),
        (_, true) => "no tests checked".to_owned(),
    };
    let leaks = report.leaks.iter().filter(|leak| leak.verdict == GrowthKind::Leak).count() as u64;
    let leaks = if leaks > 0 { format!("{}; ", count(leaks, "leak")) } else { String::new() };
    let others = if others.is_empty() { others } else { format!("; {others}") };
    let programs =
        if programs.is_empty() { programs } else { format!("; started programs: {programs}") };
    format!("{leaks}{checked}{others}{programs}")
}

/// `20 clean, 1 leak`, without zeros.
fn list(counts: &[(usize, &str)]) -> String {
    let counts = counts.iter().filter(|(number, _)| *number > 0);
    counts.map(|(number, word)| format!("{number} {word}")).collect::<Vec<_>>().join(", ")
}
