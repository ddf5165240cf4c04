//! The whole text: leaks first, then notes, then the summary.

use camino::Utf8Path;
use tracemalloc_harness::{GrowthKind, Known, TestEntry, Verdict};

use crate::cli::Deny;
use crate::output::text::line::{count, line};
use crate::output::text::{growth, summary};
use crate::report::{Kind, Report, Target};
use crate::util::terminal::{BAD, BOLD, DIM, NOTE, escaped};

/// The number of tracebacks shown for one test. The report has all.
const SHOWN_TRACEBACKS: usize = 10;

/// The number of tests shown for one verdict. The report has all.
const SHOWN_TESTS: usize = 10;

/// Renders the report with colours. `root` is the directory of source files. `report_path` is the
/// path of the report, which has the parts that are left out.
pub fn render(report: &Report, root: &Utf8Path, report_path: &Utf8Path) -> String {
    let mut text = String::new();
    for (target, test) in report.tests() {
        if fails(test, &report.options.deny) {
            test_section(&mut text, target, test, root, report_path);
        }
    }
    let mut notes = String::new();
    for (verdict, word) in [(Verdict::Unconfirmed, "unconfirmed"), (Verdict::Known, "known")] {
        let tests = report.tests().filter(|(_, test)| {
            test.verdict == Some(verdict) && !fails(test, &report.options.deny)
        });
        test_lines(&mut notes, word, tests, report_path, grown);
    }
    let passed_alone = report.tests().filter(|(_, test)| test.passed_alone);
    test_lines(&mut notes, "passed alone", passed_alone, report_path, failed_beside_others);
    for known in report.stale_known_leaks.iter().flatten() {
        let Known { place, reason } = known;
        line(
            &mut notes,
            format_args!("{NOTE}known leak{NOTE:#} at {place} no longer occurs: {reason}"),
        );
    }
    for target in &report.targets {
        if let Some(note) = &target.note {
            line(&mut notes, format_args!("{NOTE}untraced{NOTE:#} {}: {note}", label(target)));
        }
    }
    if let Some(doctests) = &report.doctests {
        let ran = count((doctests.passed + doctests.failed) as u64, "doctest");
        line(
            &mut notes,
            format_args!("{DIM}{ran} ran untraced: {}{DIM:#}", doctests.packages.join(", ")),
        );
    }
    if !notes.is_empty() {
        text.push('\n');
        text.push_str(&notes);
    }
    text.push('\n');
    summary::render(&mut text, report, report_path);
    text
}

/// Whether a test's verdict fails the run.
fn fails(test: &TestEntry, deny: &[Deny]) -> bool {
    match test.verdict {
        Some(Verdict::Leak) => true,
        Some(Verdict::Once) => deny.contains(&Deny::Once),
        Some(Verdict::Unconfirmed) => deny.contains(&Deny::Unconfirmed),
        Some(Verdict::Clean | Verdict::Known | Verdict::Skipped) | None => false,
    }
}

fn test_section(
    text: &mut String,
    target: &Target,
    test: &TestEntry,
    root: &Utf8Path,
    report_path: &Utf8Path,
) {
    line(text, format_args!("\n{BOLD}---- {} ({}) ----{BOLD:#}", test.name, label(target)));
    line(text, headline(test));
    if let Some(reason) = &test.verdict_reason {
        line(text, format_args!("{DIM}{}{DIM:#}", escaped(reason)));
    }
    if let Some(note) = &test.heap_note {
        line(text, format_args!("{DIM}{note}; repeated runs alone decided the verdict{DIM:#}"));
    }
    // Growth that stopped is no part of a leak.
    let relevant = |kind| test.verdict != Some(Verdict::Leak) || kind == GrowthKind::Leak;
    let mut growth = test.growth.iter().filter(|growth| relevant(growth.kind));
    for growth in growth.by_ref().take(SHOWN_TRACEBACKS) {
        growth::render(text, growth, root);
    }
    let more = growth.count();
    if more > 0 {
        line(
            text,
            format_args!(
                "\n  {DIM}and {} in {report_path}{DIM:#}",
                count(more as u64, "more traceback")
            ),
        );
    }
}

/// `leaked 4096 B in 1 block a run (3 of 3 runs), limit 0 B   id 5c1f09e2`.
fn headline(test: &TestEntry) -> String {
    let all = growth::sum_of_all(&test.growth);
    let runs = format!("{} of {}", runs_that_grew(test), count(test.runs.len() as u64, "run"));
    let what = match test.verdict {
        Some(Verdict::Leak) => {
            format!(
                "{BAD}leaked {}{BAD:#} a run ({runs})",
                growth::sum(&test.growth, GrowthKind::Leak)
            )
        }
        Some(Verdict::Once) => format!("{BAD}grew by {all}{BAD:#} in {runs}"),
        _ => format!("{BAD}grew by {all}{BAD:#}, unconfirmed"),
    };
    let limit = growth::size(test.limit.max_growth);
    let blocks = test
        .limit
        .max_blocks
        .map(|blocks| format!(" in {}", count(blocks, "block")))
        .unwrap_or_default();
    format!("{what}, limit {limit}{blocks}   {DIM}id {}{DIM:#}", test.id)
}

fn runs_that_grew(test: &TestEntry) -> usize {
    test.runs.iter().filter(|run| run.bytes > 0 || run.blocks > 0).count()
}

/// A line for each test, up to [`SHOWN_TESTS`]: `unconfirmed binds (demo lib): ...`.
fn test_lines<'a>(
    text: &mut String,
    word: &str,
    mut tests: impl Iterator<Item = (&'a Target, &'a TestEntry)>,
    report_path: &Utf8Path,
    remark: fn(&TestEntry) -> String,
) {
    for (target, test) in tests.by_ref().take(SHOWN_TESTS) {
        let (name, label, remark) = (&test.name, label(target), remark(test));
        line(text, format_args!("{NOTE}{word}{NOTE:#} {name} ({label}): {remark}"));
    }
    let more = tests.count();
    if more > 0 {
        line(text, format_args!("{DIM}and {more} more {word}, see {report_path}{DIM:#}"));
    }
}

/// `grew by 64 B in 1 block; run 2 failed: address in use`.
fn grown(test: &TestEntry) -> String {
    let sum = growth::sum_of_all(&test.growth);
    let reason = test.verdict_reason.as_deref().map(|reason| format!("; {}", escaped(reason)));
    let reason = reason.unwrap_or_default();
    let held = test
        .growth
        .iter()
        .find(|growth| growth.kind == GrowthKind::Unconfirmed)
        .and_then(growth::retained);
    let held = held.map(|held| format!(", {held}")).unwrap_or_default();
    format!("grew by {sum}{held}{reason}")
}

/// `beside other tests it failed: panicked: address in use`.
fn failed_beside_others(test: &TestEntry) -> String {
    let message = escaped(test.message.as_deref().unwrap_or_default());
    format!("beside other tests it failed: {message}")
}

/// A target: `demo lib`, `demo test cache`.
fn label(target: &Target) -> String {
    let kind = match target.kind {
        Kind::Lib => return format!("{} lib", target.package),
        Kind::Bin => "bin",
        Kind::Test => "test",
        Kind::Example => "example",
        Kind::Bench => "bench",
    };
    format!("{} {kind} {}", target.package, target.name)
}
