//! `--format junit`: the results of a test binary as JUnit XML, with the names that libtest gives.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use libtest_mimic::{Completion, Failed};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use tracemalloc_harness::fragment;

use crate::util::terminal;

/// The results so far.
#[derive(Debug, Default)]
pub struct Junit {
    cases: Mutex<Vec<(usize, TestCase)>>,
}

impl Junit {
    /// Adds the result of the test with this number. Ignored tests are left out, as by libtest.
    pub fn add(
        &self,
        name: &str,
        number: usize,
        result: &Result<Completion, Failed>,
        fragments: &Path,
    ) {
        let status = match result {
            Ok(_) => TestCaseStatus::success(),
            Err(failed) => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_type("assert");
                status.set_description(terminal::escaped(failed.message().unwrap_or_default()));
                status
            }
        };
        let (module, function) = name.rsplit_once("::").unwrap_or(("crate", name));
        let mut case = TestCase::new(function, status);
        case.set_classname(module);
        let seconds = fragment::read(&fragment::entry_path(fragments, number))
            .map_or(0.0, |(entry, _)| entry.duration_seconds);
        case.set_time(Duration::try_from_secs_f64(seconds).unwrap_or_default());
        self.cases.lock().unwrap_or_else(PoisonError::into_inner).push((number, case));
    }

    /// The document.
    pub fn text(&self) -> Result<String, quick_junit::SerializeError> {
        let mut cases = self.cases.lock().unwrap_or_else(PoisonError::into_inner);
        cases.sort_by_key(|(number, _)| *number);
        let mut suite = TestSuite::new("test");
        suite.add_test_cases(cases.drain(..).map(|(_, case)| case));
        let mut report = Report::new("test");
        report.add_test_suite(suite);
        Ok(report.to_string()? + "\n")
    }
}
