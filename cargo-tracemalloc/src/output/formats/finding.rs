//! A reason for which the run fails: a leak, or something that `--deny` names.

use std::collections::BTreeMap;

use tracemalloc_harness::{FrameEntry, MismatchEntry, TestEntry, mismatch_text};

use crate::cli::Deny;
use crate::output::text;
use crate::output::text::growth::amount_of;
use crate::output::text::line::count;
use crate::report::{
    Change, Comparison, Leak, LeakKind, LeakTest, Report, StaleLeak, Target, TestKey, hash,
    is_of_workspace,
};

/// A reason to report, in plain text.
#[derive(Debug)]
pub struct Finding<'a> {
    /// Its kind.
    pub rule: Rule,
    /// Its identity: a leak's fingerprint, or a hash that depends on no line.
    pub id: String,
    /// Its change, if there is an earlier report.
    pub change: Option<Change>,
    /// One line.
    pub title: String,
    /// All lines.
    pub text: String,
    /// Its amount a run; empty if it has none.
    pub amount: String,
    /// The tests that show it.
    pub tests: Vec<TestKey<'a>>,
    /// The file of the allocation, relative to the repository.
    pub file: String,
    /// The line in it, from 1.
    pub line: u32,
}

/// The kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// A leak of this kind.
    Leak(LeakKind),
    /// One language freed a block of the other one.
    Mismatch,
    /// A known leak that no longer occurs.
    Stale,
    /// A test with a verdict that fails, and without a leak that could be shown.
    Verdict,
}

impl Rule {
    /// The word for all findings of its kind.
    pub fn word(self) -> &'static str {
        match self {
            Self::Leak(_) => "leak",
            Self::Mismatch => "mismatch",
            Self::Stale => "stale",
            Self::Verdict => "verdict",
        }
    }
}

/// The findings. With an earlier report, these are the new and grown leaks alone.
pub fn findings<'a>(report: &'a Report, comparison: Option<&Comparison>) -> Vec<Finding<'a>> {
    let deny = &report.options.deny;
    let failing: Vec<&Leak> = report.leaks.iter().filter(|leak| leak.fails(deny)).collect();
    let with_change = failing.iter().map(|leak| (*leak, comparison.map(|with| with.of(leak))));
    let shown = with_change.filter(|(_, change)| *change != Some(Change::Same));
    let tests = text::entries_by_test(report);
    let mut findings: Vec<Finding<'a>> = shown
        .map(|(leak, change)| {
            let test = leak.tests.first().and_then(|test| tests.get(&test.key()).copied());
            of_leak(report, leak, test, change)
        })
        .collect();
    if comparison.is_none() {
        findings.extend(
            text::failing_without_leak(report)
                .map(|(target, test)| of_verdict(report, target, test)),
        );
        findings.extend(of_mismatches(report));
        findings.extend(report.denied_stale_leaks().iter().map(|stale| of_stale(report, stale)));
    }
    findings
}

fn of_leak<'a>(
    report: &Report,
    leak: &'a Leak,
    test: Option<&TestEntry>,
    change: Option<Change>,
) -> Finding<'a> {
    let (file, line) = place(report, leak);
    let (title, text) = text::plain(leak, test, change.unwrap_or(Change::New));
    Finding {
        rule: Rule::Leak(leak.kind),
        id: leak.id.clone(),
        change,
        title,
        text,
        amount: amount_of(leak.bytes, leak.blocks),
        tests: leak.tests.iter().map(LeakTest::key).collect(),
        file: in_repository(report, &file),
        line,
    }
}

/// The most recent frame inside the workspace. Without one, the start of the test's target.
fn place(report: &Report, leak: &Leak) -> (String, u32) {
    let frames = leak.sites.iter().flat_map(|site| site.traceback.iter().rev());
    let mut frames = frames.filter(|frame| frame.line > 0 && is_of_workspace(frame));
    if let Some(frame) = frames.next() {
        let file = frame.file.strip_prefix("./").unwrap_or(&frame.file);
        return (file.to_owned(), frame.line);
    }
    let test = leak.tests.first();
    let mut targets = report.targets.iter().filter(|target| {
        test.is_some_and(|test| (&target.package, &target.name) == (&test.package, &test.target))
    });
    (targets.next().map_or_else(|| "Cargo.toml".to_owned(), |target| target.src.clone()), 1)
}

fn of_verdict<'a>(report: &Report, target: &'a Target, test: &'a TestEntry) -> Finding<'a> {
    let text = text::failing_test(target, test);
    let key = target.test_key(test);
    let word = text.split(' ').next().unwrap_or_default();
    Finding {
        rule: Rule::Verdict,
        id: hash(&[word, key.0, &text::label(target), key.3]),
        change: None,
        title: text.clone(),
        text,
        amount: String::new(),
        tests: vec![key],
        file: in_repository(report, &target.src),
        line: 1,
    }
}

/// The denied mismatches, those of the same functions as one.
fn of_mismatches(report: &Report) -> Vec<Finding<'_>> {
    if !report.options.deny.contains(&Deny::Mismatch) {
        return Vec::new();
    }
    let mut by_id: BTreeMap<String, Finding<'_>> = BTreeMap::new();
    for (target, test) in report.tests() {
        for mismatch in &test.mismatches {
            let id = mismatch_id(mismatch);
            let line = mismatch_text(mismatch);
            let finding = by_id.entry(id.clone()).or_insert_with(|| {
                let mut frames = [&mismatch.allocated, &mismatch.freed]
                    .into_iter()
                    .flat_map(|frames| frames.iter().rev().filter(|frame| frame.line > 0));
                let frame = frames.find(|frame| is_of_workspace(frame));
                let (file, number) = frame
                    .map_or((target.src.as_str(), 1), |frame| (frame.file.as_str(), frame.line));
                Finding {
                    rule: Rule::Mismatch,
                    id,
                    change: None,
                    title: format!("mismatch: {line}"),
                    text: String::new(),
                    amount: count(mismatch.blocks, "block"),
                    tests: Vec::new(),
                    file: in_repository(report, file),
                    line: number,
                }
            });
            if !finding.text.lines().any(|known| known == line) {
                finding.text += &format!("{line}\n");
            }
            if !finding.tests.contains(&target.test_key(test)) {
                finding.tests.push(target.test_key(test));
            }
        }
    }
    by_id.into_values().collect()
}

fn mismatch_id(mismatch: &MismatchEntry) -> String {
    let functions = |frames: &[FrameEntry]| {
        frames.last().map(|frame| frame.function.clone()).unwrap_or_default()
    };
    hash(&["mismatch", &functions(&mismatch.allocated), &functions(&mismatch.freed)])
}

fn of_stale<'a>(report: &Report, stale: &StaleLeak) -> Finding<'a> {
    let text = text::stale_leak(stale);
    let (file, line) = stale.place.rsplit_once(':').unwrap_or((&stale.place, "1"));
    Finding {
        rule: Rule::Stale,
        // A leak of the same fingerprint is another finding.
        id: hash(&["stale", stale.id.as_deref().unwrap_or(&stale.place)]),
        change: None,
        title: format!("stale: {}", text.lines().next().unwrap_or_default()),
        text,
        amount: String::new(),
        tests: Vec::new(),
        file: in_repository(report, file),
        line: line.parse().unwrap_or(1),
    }
}

/// A file of the workspace, relative to the repository. Services know no other paths.
fn in_repository(report: &Report, file: &str) -> String {
    if report.directory.is_empty() || file.starts_with('/') {
        return file.to_owned();
    }
    let mut parts: Vec<&str> = report.directory.split('/').collect();
    for part in file.split('/') {
        match (part, parts.last()) {
            ("..", Some(last)) if *last != ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}
