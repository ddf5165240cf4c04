//! The types of the report. `docs/report.md` describes each field.

use serde::Serialize;
use tracemalloc_harness::{Known, Options, TestEntry};

use crate::cli::Deny;
use crate::report::summary::Summary;

/// The version of the document's shape.
pub const SCHEMA: u32 = 1;

/// What one run of the command found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// Version of this program.
    pub tool_version: String,
    /// The compiler's first line of `-V`.
    pub rustc: String,
    /// Target triples, separated by commas where there are several.
    pub target_triple: String,
    /// How it was measured and judged.
    pub options: ReportOptions,
    /// Counts over all targets.
    pub summary: Summary,
    /// Doctests that cargo ran; `None` where there were none.
    pub doctests: Option<Doctests>,
    /// Known leaks that no test has; `None` where not the whole suite ran.
    pub stale_known_leaks: Option<Vec<Known>>,
    /// By package, kind and name.
    pub targets: Vec<Target>,
}

/// How it was measured and judged.
#[derive(Debug, Serialize)]
pub struct ReportOptions {
    /// What the harness was told.
    #[serde(flatten)]
    pub measure: Options,
    /// Verdicts that fail too.
    pub deny: Vec<Deny>,
    /// Whether leaks are only reported.
    pub no_fail: bool,
    /// Whether holders that are known to free later, or to fill once, excuse growth.
    pub known_holders: bool,
    /// When a test is ended.
    pub timeout_seconds: Option<f64>,
}

/// Tests in documentation. Rustdoc compiles them, so that they are not traced.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Doctests {
    /// Always false.
    pub traced: bool,
    /// How many passed.
    pub passed: usize,
    /// How many failed.
    pub failed: usize,
    /// How many were not run.
    pub ignored: usize,
    /// Names of their packages, sorted.
    pub packages: Vec<String>,
}

/// One test binary.
#[derive(Debug, Serialize)]
pub struct Target {
    /// Its package.
    pub package: String,
    /// The package's version.
    pub version: String,
    /// What it is.
    pub kind: Kind,
    /// Its name in the manifest.
    pub name: String,
    /// Its root source file, relative to the workspace.
    pub src: String,
    /// Whether allocations were traced.
    pub traced: bool,
    /// Why not.
    pub note: Option<String>,
    /// By name.
    pub tests: Vec<TestEntry>,
}

/// Kinds of targets, in the report's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A library, of whatever crate type.
    Lib,
    /// A binary.
    Bin,
    /// An integration test.
    Test,
    /// An example.
    Example,
    /// A benchmark.
    Bench,
}

impl Report {
    /// All tests, each with its target.
    pub fn tests(&self) -> impl Iterator<Item = (&Target, &TestEntry)> {
        self.targets.iter().flat_map(|target| target.tests.iter().map(move |test| (target, test)))
    }
}
