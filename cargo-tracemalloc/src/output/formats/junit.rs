//! JUnit XML: a suite for each target, and a failure for each test with a finding.
//! Stale known leaks have a suite of their own.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Result;
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use tracemalloc_harness::{Outcome, TestEntry};

use crate::output::formats::Finding;
use crate::output::text;
use crate::report::{Report, TestKey};

/// Renders the tests. A test fails if it shows one of the findings.
pub fn render(report: &Report, findings: &[Finding<'_>]) -> Result<String> {
    let mut document = quick_junit::Report::new("cargo-tracemalloc");
    let mut by_test: HashMap<TestKey<'_>, Vec<&Finding<'_>>> = HashMap::new();
    for finding in findings {
        for test in &finding.tests {
            by_test.entry(*test).or_default().push(finding);
        }
    }
    for target in &report.targets {
        let label = text::label(target);
        let mut suite = TestSuite::new(label.as_str());
        for test in &target.tests {
            let shown = by_test.get(&target.test_key(test)).map(Vec::as_slice).unwrap_or_default();
            suite.add_test_case(case(&label, test, shown));
        }
        document.add_test_suite(suite);
    }
    let mut stale = TestSuite::new("known leaks");
    for finding in findings.iter().filter(|finding| finding.tests.is_empty()) {
        let mut case = TestCase::new(finding.title.as_str(), failure(&[finding]));
        case.set_classname("known leaks");
        stale.add_test_case(case);
    }
    if stale.tests > 0 {
        document.add_test_suite(stale);
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

fn case(label: &str, test: &TestEntry, findings: &[&Finding<'_>]) -> TestCase {
    let status = match (test.outcome, findings) {
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
        (Outcome::Passed, []) => TestCaseStatus::success(),
        (Outcome::Passed, findings) => failure(findings),
    };
    let mut case = TestCase::new(test.name.as_str(), status);
    case.set_classname(label);
    case.set_time(Duration::try_from_secs_f64(test.duration_seconds).unwrap_or_default());
    case
}

/// A failure with these findings, of which there is at least one.
fn failure(findings: &[&Finding<'_>]) -> TestCaseStatus {
    let first = findings[0];
    let texts: Vec<&str> = findings.iter().map(|finding| finding.text.trim()).collect();
    let more = match findings.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(first.rule.word()).set_message(format!("{}{more}", first.title));
    status.set_description(texts.join("\n\n"));
    status
}
