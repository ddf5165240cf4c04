//! The whole text: leaks first, then notes, then the summary.

use std::collections::{HashMap, HashSet};

use anstream::adapter::strip_str;
use tracemalloc_harness::{GrowthKind, Outcome, TestEntry, Verdict, mismatch_text};

use crate::cli::Deny;
use crate::output::text::line::{count, line};
use crate::output::text::{changes, growth, leak, once, summary};
use crate::report::{
    Change, Comparison, Kind, Leak, LeakTest, Processes, Report, StaleLeak, Target, TestKey,
};
use crate::util::terminal::{BAD, DIM, NOTE, escaped};

/// If all leaks fit into so many lines, all of them are shown in full.
const SCREEN: usize = 48;
/// Otherwise those that fit into so many lines, and the next ones in a line each.
const HALF_A_SCREEN: usize = 24;
/// The number of further leaks that are shown in a line each.
const SHOWN_LEAKS: usize = 10;
/// The number of tests shown for one verdict. The report has all.
const SHOWN_TESTS: usize = 10;

/// The parts of the report to show.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The path of the report, which has the parts that are left out.
    pub report_path: &'a str,
    /// Whether all leaks, frames and tests are shown.
    pub verbose: bool,
    /// The earlier report. Leaks that have not grown since then are not shown.
    pub comparison: Option<&'a Comparison>,
}

/// Renders the report with colours.
pub fn render(report: &Report, view: View<'_>) -> String {
    let View { report_path, verbose, comparison } = view;
    let mut text = String::new();
    render_leaks(&mut text, report, view);
    let mut notes = String::new();
    if let Some(comparison) = comparison {
        changes::render(&mut notes, report, comparison);
    }
    render_known(&mut notes, report, view);
    if comparison.is_none() {
        for (target, test) in failing_without_leak(report) {
            line(&mut notes, format_args!("{BAD}failed:{BAD:#} {}", failing_test(target, test)));
        }
    }
    let deny = &report.options.deny;
    let of_verdict = |verdict| {
        let fails = Deny::fails(deny, verdict);
        report.tests().filter(move |(_, test)| test.verdict == Some(verdict) && !fails)
    };
    test_lines(&mut notes, "unconfirmed", of_verdict(Verdict::Unconfirmed), view, grown);
    if verbose {
        test_lines(&mut notes, "once", of_verdict(Verdict::Once), view, once::reason);
    }
    let passed_alone = report.tests().filter(|(_, test)| test.passed_alone);
    test_lines(&mut notes, "passed alone", passed_alone, view, failed_beside_others);
    mismatches(&mut notes, report, view);
    for stale in report.stale_known_leaks.iter().flatten() {
        let text = stale_leak(stale);
        match report.options.deny.contains(&Deny::Stale) {
            true => line(
                &mut notes,
                format_args!("{BAD}failed:{BAD:#} {text}, which `--deny stale` forbids"),
            ),
            false => line(&mut notes, format_args!("{NOTE}stale:{NOTE:#} {text}")),
        }
    }
    for target in &report.targets {
        if let Some(note) = &target.note {
            line(&mut notes, format_args!("{NOTE}untraced{NOTE:#} {}: {note}", label(target)));
        }
    }
    let untraced = report.tests().filter(|(_, test)| is_untraced(test));
    test_lines(&mut notes, "untraced", untraced, view, |test| reason(test).to_owned());
    c_untraced(&mut notes, report);
    unfinished_programs(&mut notes, report);
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

/// The tests that fail the run, and that show no leak which could be listed.
pub fn failing_without_leak(report: &Report) -> impl Iterator<Item = (&Target, &TestEntry)> {
    let deny = &report.options.deny;
    let failing = report.leaks.iter().filter(|leak| leak.fails(deny));
    let shown: HashSet<TestKey<'_>> =
        failing.flat_map(|leak| &leak.tests).map(LeakTest::key).collect();
    report.tests().filter(move |(target, test)| {
        // Of a program that a test has started, nothing but a leak fails.
        let deny: &[Deny] = if target.kind == Kind::Program { &[] } else { deny.as_slice() };
        test.verdict.is_some_and(|verdict| Deny::fails(deny, verdict))
            && !shown.contains(&target.test_key(test))
    })
}

/// `unconfirmed binds (demo lib): grew by 64 B in 1 block; run 2 failed`.
pub fn failing_test(target: &Target, test: &TestEntry) -> String {
    let (word, remark) = match test.verdict {
        Some(Verdict::Once) => ("once", once::reason(test)),
        Some(Verdict::Unconfirmed) => ("unconfirmed", grown(test)),
        _ => ("leaking", grown(test)),
    };
    format!("{word} {} ({}): {remark}", test.name, label(target))
}

/// `known leak at tracemalloc.toml:1 no longer occurs: the cache of the client   id 5c1f09e2`, and
/// the leak in words.
pub fn stale_leak(stale: &StaleLeak) -> String {
    let StaleLeak { place, reason, id, title } = stale;
    let id = id.as_ref().map(|id| format!("   id {id}")).unwrap_or_default();
    let title = title.as_ref().map(|title| format!(" ({title})")).unwrap_or_default();
    format!("known leak at {place} no longer occurs: {reason}{title}{id}")
}

/// A line for each place where one language freed a block that the other one allocated.
fn mismatches(notes: &mut String, report: &Report, view: View<'_>) {
    let style = if report.options.deny.contains(&Deny::Mismatch) { BAD } else { NOTE };
    let mut by_place: Vec<(String, u64)> = Vec::new();
    for mismatch in report.tests().flat_map(|(_, test)| &test.mismatches) {
        let place = mismatch_text(mismatch);
        match by_place.iter_mut().find(|(known, _)| *known == place) {
            Some((_, tests)) => *tests += 1,
            None => by_place.push((place, 1)),
        }
    }
    let most = if view.verbose { usize::MAX } else { SHOWN_TESTS };
    for (place, tests) in by_place.iter().take(most) {
        let (place, tests) = (escaped(place), count(*tests, "test"));
        line(notes, format_args!("{style}mismatch{style:#} in {tests}: {place}"));
    }
    let more = by_place.len().saturating_sub(most);
    if more > 0 {
        let path = view.report_path;
        line(notes, format_args!("{DIM}and {more} more mismatches, see {path}{DIM:#}"));
    }
}

/// A line for each program with processes that did not come to their end.
fn unfinished_programs(notes: &mut String, report: &Report) {
    for target in &report.targets {
        let Some(processes) = target.processes.filter(|processes| processes.unfinished > 0) else {
            continue;
        };
        let Processes { started, unfinished, .. } = processes;
        let label = label(target);
        line(
            notes,
            format_args!(
                "{DIM}{unfinished} of {started} processes of {label} were not judged: {}{DIM:#}",
                Processes::UNFINISHED
            ),
        );
    }
}

/// Whether a test alone of its target ran untraced.
fn is_untraced(test: &TestEntry) -> bool {
    test.outcome == Outcome::Passed && test.verdict.is_none() && !reason(test).is_empty()
}

fn reason(test: &TestEntry) -> &str {
    test.verdict_reason.as_deref().unwrap_or_default()
}

/// Says once why C's blocks were not traced, however many targets that holds for.
fn c_untraced(notes: &mut String, report: &Report) {
    let mut targets = report.targets.iter().filter(|target| target.c_untraced.is_some());
    let Some(Target { c_untraced: Some(reason), .. }) = targets.clone().next() else { return };
    let of = match (targets.next(), targets.count()) {
        (Some(target), 0) => label(target),
        (_, more) => count(more as u64 + 1, "target"),
    };
    line(notes, format_args!("{DIM}memory of C was not traced in {of}: {reason}{DIM:#}"));
}

/// The leaks that fail: with all their lines as long as they fit on a screen, then in a line each.
fn render_leaks(text: &mut String, report: &Report, view: View<'_>) {
    let change = |leak: &Leak| view.comparison.map_or(Change::New, |with| with.of(leak));
    let failing = report.leaks.iter().filter(|leak| leak.fails(&report.options.deny));
    let failing = failing.filter(|leak| change(leak) != Change::Same);
    let failing: Vec<&Leak> = failing.collect();
    let tests = entries_by_test(report);
    let render = |leak: &&Leak| {
        let test = leak.tests.first().and_then(|test| tests.get(&test.key()).copied());
        let mut whole = String::new();
        leak::render(&mut whole, leak, test, changes::note(change(leak)), view.verbose);
        whole
    };
    let most = if view.verbose { usize::MAX } else { SCREEN };
    let mut shown: Vec<String> = Vec::new();
    let mut ends: Vec<usize> = Vec::new();
    for leak in &failing {
        let whole = render(leak);
        let end = ends.last().copied().unwrap_or(0) + whole.lines().count();
        shown.push(whole);
        ends.push(end);
        if end > most {
            break;
        }
    }
    if ends.last().is_some_and(|end| *end > most) {
        let fit = ends.iter().filter(|end| **end <= HALF_A_SCREEN).count();
        shown.truncate(fit.max(1));
    }
    text.push_str(&shown.concat());
    let left = &failing[shown.len()..];
    if left.is_empty() {
        return;
    }
    text.push('\n');
    for leak in left.iter().take(SHOWN_LEAKS) {
        line(text, leak::in_a_line(leak));
    }
    let more = left.len().saturating_sub(SHOWN_LEAKS);
    let more =
        if more > 0 { format!("and {}; ", count(more as u64, "more leak")) } else { String::new() };
    line(text, format_args!("{DIM}{more}`-v` shows all{DIM:#}"));
}

/// Leaks that the configuration knows.
fn render_known(notes: &mut String, report: &Report, view: View<'_>) {
    let most = if view.verbose { usize::MAX } else { SHOWN_TESTS };
    let mut known = report.leaks.iter().filter(|leak| leak.verdict == GrowthKind::Known);
    for leak in known.by_ref().take(most) {
        let reason = leak.known.as_ref().map(|known| format!("; {}", known.reason));
        let reason = reason.unwrap_or_default();
        let text = leak::in_a_line(leak);
        line(notes, format_args!("{NOTE}known{NOTE:#} {text}{reason}"));
        if !leak.new_functions.is_empty() {
            let new = leak.new_functions.join(", ");
            line(notes, format_args!("  {NOTE}new:{NOTE:#} {new} allocates for it, too"));
        }
    }
    let more = known.count();
    if more > 0 {
        let path = view.report_path;
        line(notes, format_args!("{DIM}and {more} more known, see {path}{DIM:#}"));
    }
}

/// A leak without colours: in a line without its id, and in full. `test` is the most telling test.
pub fn plain(of: &Leak, test: Option<&TestEntry>, change: Change) -> (String, String) {
    let mut text = String::new();
    leak::render(&mut text, of, test, changes::note(change), false);
    (leak::without_id(of), strip_str(&text).to_string())
}

/// The entries of all tests. There may be many leaks, each with a test to look up.
pub fn entries_by_test(report: &Report) -> HashMap<TestKey<'_>, &TestEntry> {
    report.tests().map(|(target, test)| (target.test_key(test), test)).collect()
}

/// A line for each test, up to [`SHOWN_TESTS`]: `unconfirmed binds (demo lib): ...`.
fn test_lines<'a>(
    text: &mut String,
    word: &str,
    mut tests: impl Iterator<Item = (&'a Target, &'a TestEntry)>,
    view: View<'_>,
    remark: fn(&TestEntry) -> String,
) {
    let most = if view.verbose { usize::MAX } else { SHOWN_TESTS };
    for (target, test) in tests.by_ref().take(most) {
        let (name, label, remark) = (&test.name, label(target), remark(test));
        line(text, format_args!("{NOTE}{word}{NOTE:#} {name} ({label}): {remark}"));
    }
    let more = tests.count();
    if more > 0 {
        let path = view.report_path;
        line(text, format_args!("{DIM}and {more} more {word}, see {path}{DIM:#}"));
    }
}

/// `grew by 64 B in 1 block, held by store::SEEN; run 2 failed: address in use`.
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
pub fn label(target: &Target) -> String {
    leak::label(&target.package, target.kind, &target.name)
}
