//! Counts over all tests of a report.

use serde::{Deserialize, Serialize};
use tracemalloc_harness::{Outcome, TestEntry, Verdict};

use crate::cli::Deny;
use crate::report::kind::Kind;

/// Numbers of tests by outcome and verdict.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// All tests of the report.
    pub tests: usize,
    /// By outcome.
    pub passed: usize,
    /// By outcome.
    pub failed: usize,
    /// By outcome.
    pub ignored: usize,
    /// By verdict.
    pub clean: usize,
    /// By verdict.
    pub once: usize,
    /// By verdict.
    pub leak: usize,
    /// By verdict.
    pub known: usize,
    /// By verdict.
    pub unconfirmed: usize,
    /// By verdict.
    pub skipped: usize,
    /// Tests that failed beside others, and passed alone.
    pub passed_alone: usize,
    /// Tests with a block that one language allocated and the other one freed.
    #[serde(default)]
    pub mismatched: usize,
    /// Passed tests without a verdict, from untraced targets.
    pub untraced: usize,
    /// The programs that tests have started, each once for each test. They are no tests.
    #[serde(default)]
    pub programs: ProgramSummary,
}

/// Numbers of started programs by verdict.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramSummary {
    /// By verdict.
    pub clean: usize,
    /// By verdict.
    pub leak: usize,
    /// By verdict.
    pub known: usize,
    /// No process of it was judged.
    pub skipped: usize,
    /// Without a verdict.
    pub untraced: usize,
}

impl ProgramSummary {
    fn add(&mut self, program: &TestEntry) {
        *match program.verdict {
            Some(Verdict::Clean | Verdict::Once) => &mut self.clean,
            Some(Verdict::Leak) => &mut self.leak,
            Some(Verdict::Known) => &mut self.known,
            Some(Verdict::Skipped | Verdict::Unconfirmed) => &mut self.skipped,
            None => &mut self.untraced,
        } += 1;
    }
}

impl Summary {
    /// Counts the tests and the programs.
    pub fn of<'a>(tests: impl IntoIterator<Item = (Kind, &'a TestEntry)>) -> Self {
        let mut summary = Self::default();
        for (kind, test) in tests {
            if kind == Kind::Program {
                summary.mismatched += usize::from(!test.mismatches.is_empty());
                summary.programs.add(test);
                continue;
            }
            summary.tests += 1;
            summary.passed_alone += usize::from(test.passed_alone);
            summary.mismatched += usize::from(!test.mismatches.is_empty());
            *match test.outcome {
                Outcome::Passed => &mut summary.passed,
                Outcome::Failed => &mut summary.failed,
                Outcome::Ignored => &mut summary.ignored,
            } += 1;
            match test.verdict {
                Some(Verdict::Clean) => summary.clean += 1,
                Some(Verdict::Once) => summary.once += 1,
                Some(Verdict::Leak) => summary.leak += 1,
                Some(Verdict::Known) => summary.known += 1,
                Some(Verdict::Unconfirmed) => summary.unconfirmed += 1,
                Some(Verdict::Skipped) => summary.skipped += 1,
                None => summary.untraced += usize::from(test.outcome == Outcome::Passed),
            }
        }
        summary
    }

    /// The number of judged tests.
    pub fn checked(&self) -> usize {
        self.clean + self.once + self.leak + self.known + self.unconfirmed
    }

    /// Whether some test fails the run, though it has passed.
    pub fn fails(&self, deny: &[Deny]) -> bool {
        let counts = [
            (Verdict::Leak, self.leak + self.programs.leak),
            (Verdict::Once, self.once),
            (Verdict::Unconfirmed, self.unconfirmed),
        ];
        counts.into_iter().any(|(verdict, tests)| tests > 0 && Deny::fails(deny, verdict))
            || self.mismatched > 0 && deny.contains(&Deny::Mismatch)
    }
}
