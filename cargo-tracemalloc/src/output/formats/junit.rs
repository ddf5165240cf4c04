//! JUnit XML: a suite for each target, and a failure for each test that leaks.

use std::time::Duration;

use anyhow::Result;
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use tracemalloc_harness::{Outcome, TestEntry, mismatch_text};

use crate::cli::Deny;
use crate::output::formats::Finding;
use crate::output::text;
use crate::report::{Report, Target};

/// Renders the tests. A test fails if it shows one of the findings.
pub fn render(report: &Report, findings: &[Finding<'_>]) -> Result<String> {
    let mut document = quick_junit::Report::new("cargo-tracemalloc");
    let denies_mismatch = report.options.deny.contains(&Deny::Mismatch);
    for target in &report.targets {
        let label = text::label(target);
        let mut suite = TestSuite::new(label.as_str());
        for test in &target.tests {
            suite.add_test_case(case(target, &label, test, findings, denies_mismatch));
        }
        document.add_test_suite(suite);
    }
    Ok(without_skipped_sum(&document.to_string()?) + "\n")
}

/// The document without the sum of skipped tests in its root. The schema of Jenkins' plugin refuses
/// that attribute, which each suite may have.
fn without_skipped_sum(xml: &str) -> String {
    let is_root = |line: &&str| line.starts_with("<testsuites ");
    let Some(root) = xml.lines().find(is_root) else { return xml.to_owned() };
    let words = root.split(' ').filter(|word| !word.starts_with("skipped=\""));
    xml.replacen(root, &words.collect::<Vec<_>>().join(" "), 1)
}

fn case(
    target: &Target,
    label: &str,
    test: &TestEntry,
    findings: &[Finding<'_>],
    denies_mismatch: bool,
) -> TestCase {
    let key = (target.package.as_str(), target.kind, target.name.as_str(), test.name.as_str());
    let mut shown =
        findings.iter().filter(|finding| finding.leak.tests.iter().any(|test| test.key() == key));
    let status = match (test.outcome, shown.next()) {
        (Outcome::Failed, _) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type("test").set_message("the test failed");
            if let Some(message) = &test.message {
                status.set_description(message.as_str());
            }
            status
        }
        (Outcome::Ignored, _) => {
            let mut status = TestCaseStatus::skipped();
            if let Some(message) = &test.message {
                status.set_message(message.as_str());
            }
            status
        }
        (Outcome::Passed, Some(first)) => {
            let others: Vec<&Finding<'_>> = shown.collect();
            let all = [first].into_iter().chain(others.iter().copied());
            let texts: Vec<&str> = all.map(|finding| finding.text.trim()).collect();
            let more = match others.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type("leak").set_message(format!("{}{more}", first.title));
            status.set_description(texts.join("\n\n"));
            status
        }
        (Outcome::Passed, None) if denies_mismatch && !test.mismatches.is_empty() => {
            let texts: Vec<String> = test.mismatches.iter().map(mismatch_text).collect();
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_type("mismatch").set_message(texts[0].as_str());
            status.set_description(texts.join("\n"));
            status
        }
        (Outcome::Passed, None) => TestCaseStatus::success(),
    };
    let mut case = TestCase::new(test.name.as_str(), status);
    case.set_classname(label);
    case.set_time(Duration::try_from_secs_f64(test.duration_seconds).unwrap_or_default());
    case
}
