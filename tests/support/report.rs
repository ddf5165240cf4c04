//! The JSON report, as far as the tests look at it.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use tracemalloc_harness::{HolderEntry, Known, StepEntry, TestEntry, Verdict};

/// The result of one run of the command.
#[derive(Debug, Deserialize)]
pub struct Report {
    /// The version of its shape.
    pub schema: u32,
    /// Counts.
    pub summary: serde_json::Map<String, serde_json::Value>,
    /// Known leaks that did not occur, where all tests ran.
    pub stale_known_leaks: Option<Vec<Known>>,
    /// The leaks by cause.
    pub leaks: Vec<Leak>,
    /// Test binaries.
    pub targets: Vec<Target>,
}

/// A leak, as far as the tests look at it.
#[derive(Debug, Deserialize)]
pub struct Leak {
    /// Its fingerprint.
    pub id: String,
    /// `lost`, `cycle`, `held` or `grown`.
    pub kind: String,
    /// Bytes a run.
    pub bytes: u64,
    /// Blocks a run.
    pub blocks: u64,
    /// Bytes of all runs of all tests.
    pub total_bytes: u64,
    /// The root's type.
    #[serde(rename = "type")]
    pub type_name: Option<String>,
    /// The holder.
    pub holder: Option<HolderEntry>,
    /// The way round the cycle.
    pub cycle: Vec<StepEntry>,
    /// Proven facts about the cause.
    pub hints: Vec<serde_json::Value>,
    /// The places that allocate.
    pub sites: Vec<serde_json::Value>,
    /// The tests that show it.
    pub tests: Vec<serde_json::Value>,
}

/// One test binary.
#[derive(Debug, Deserialize)]
pub struct Target {
    /// Its package.
    pub package: String,
    /// The package's version.
    pub version: String,
    /// Its name in the manifest.
    pub name: String,
    /// `lib`, `bin`, `test`, `example` or `bench`.
    pub kind: String,
    /// Its root source file.
    pub src: String,
    /// Whether it was traced.
    pub traced: bool,
    /// Why not.
    pub note: Option<String>,
    /// Its tests.
    pub tests: Vec<TestEntry>,
}

impl Report {
    /// Reads a report.
    pub fn read(path: &Path) -> Self {
        let json =
            fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self::parse(&json)
    }

    /// Parses one.
    pub fn parse(json: &str) -> Self {
        serde_json::from_str(json).expect("the report is valid")
    }

    /// All tests, each with its target.
    pub fn tests(&self) -> impl Iterator<Item = (&Target, &TestEntry)> {
        self.targets.iter().flat_map(|target| target.tests.iter().map(move |test| (target, test)))
    }

    /// The only target of that name.
    #[track_caller]
    pub fn target(&self, name: &str) -> &Target {
        let mut targets = self.targets.iter().filter(|target| target.name == name);
        let target = targets.next().unwrap_or_else(|| panic!("the report has no target {name}"));
        assert!(targets.next().is_none(), "the report has two targets {name}");
        target
    }

    /// The only test of that name.
    #[track_caller]
    pub fn test(&self, name: &str) -> &TestEntry {
        let mut tests = self.tests().filter(|(_, test)| test.name == name);
        let (_, test) = tests.next().unwrap_or_else(|| panic!("the report has no test {name}"));
        assert!(tests.next().is_none(), "the report has two tests {name}");
        test
    }

    /// The verdict on the only test of that name.
    #[track_caller]
    pub fn verdict(&self, name: &str) -> Option<Verdict> {
        self.test(name).verdict
    }

    /// Names of the tests that leak.
    pub fn leaks(&self) -> Vec<&str> {
        let leaks = self.tests().filter(|(_, test)| test.verdict == Some(Verdict::Leak));
        leaks.map(|(_, test)| test.name.as_str()).collect()
    }

    /// One count of the summary.
    #[track_caller]
    pub fn count(&self, name: &str) -> u64 {
        self.summary[name].as_u64().expect("the summary counts")
    }
}

impl Target {
    /// The name as code has it.
    pub fn crate_name(&self) -> String {
        self.name.replace('-', "_")
    }
}
