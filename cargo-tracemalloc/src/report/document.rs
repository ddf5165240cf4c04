//! The types of the report. `docs/report.md` describes each field.

use camino::Utf8PathBuf;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tracemalloc::Domain;
use tracemalloc::internal::Limit;
use tracemalloc_harness::{Limits, TestEntry};

use crate::cli::Deny;
use crate::report::kind::Kind;
use crate::report::leak::{Leak, TestKey};
use crate::report::stale_leak::StaleLeak;
use crate::report::summary::Summary;

/// The version of the document's format.
pub const SCHEMA: u32 = 2;

/// The result of one run of the command.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// The version of this program.
    pub tool_version: String,
    /// The first line of `rustc -V`.
    pub rustc: String,
    /// The target triples, separated by commas.
    pub target_triple: String,
    /// The workspace's directory in its repository: `rust`. Empty at the repository's root.
    #[serde(default)]
    pub directory: String,
    /// The options of the run.
    pub options: ReportOptions,
    /// Counts over all targets.
    pub summary: Summary,
    /// The leaks, the worst first.
    pub leaks: Vec<Leak>,
    /// The doctests that ran untraced; `None` if there were none.
    pub doctests: Option<Doctests>,
    /// Known leaks that no test has; `None` if a part of the suite did not run.
    pub stale_known_leaks: Option<Vec<StaleLeak>>,
    /// The targets, by package, kind and name.
    pub targets: Vec<Target>,
}

/// The options of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReportOptions {
    /// Limits and filters.
    #[serde(flatten, serialize_with = "limits", deserialize_with = "limits_of")]
    pub limits: Limits,
    /// Verdicts that fail on request.
    pub deny: Vec<Deny>,
    /// Whether leaks leave the exit code at 0.
    pub no_fail: bool,
    /// Whether known holders excuse growth.
    pub known_holders: bool,
    /// The time limit of a test.
    pub timeout_seconds: Option<f64>,
}

/// The limits in the form of the report, with the values that hold where none is given.
fn limits<S: Serializer>(limits: &Limits, serializer: S) -> Result<S::Ok, S::Error> {
    let patterns = |patterns: &Option<Vec<String>>| patterns.clone().unwrap_or_default();
    let mut map = serializer.serialize_map(Some(6))?;
    map.serialize_entry("limit", &limits.limit())?;
    map.serialize_entry("runs", &limits.runs)?;
    map.serialize_entry("frames", &limits.frame_count())?;
    map.serialize_entry("include", &patterns(&limits.include))?;
    map.serialize_entry("exclude", &patterns(&limits.exclude))?;
    map.serialize_entry("domain", &limits.counted())?;
    map.end()
}

/// The limits as the report has them.
#[derive(Deserialize)]
struct LimitsInReport {
    limit: Limit,
    runs: Option<u32>,
    frames: u32,
    include: Vec<String>,
    exclude: Vec<String>,
    #[serde(default)]
    domain: Option<Domain>,
}

fn limits_of<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Limits, D::Error> {
    let found = LimitsInReport::deserialize(deserializer)?;
    let mut limits = Limits::new();
    limits.max_growth = Some(found.limit.max_growth);
    limits.max_blocks = found.limit.max_blocks;
    limits.runs = found.runs;
    limits.frames = Some(found.frames);
    limits.include = Some(found.include);
    limits.exclude = Some(found.exclude);
    limits.domain = found.domain;
    Ok(limits)
}

/// Doctests that ran untraced. Traced ones are a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doctests {
    /// Always false.
    pub traced: bool,
    /// The number of passed tests.
    pub passed: usize,
    /// The number of failed tests.
    pub failed: usize,
    /// The number of ignored tests.
    pub ignored: usize,
    /// The names of their packages, sorted.
    pub packages: Vec<String>,
}

/// One test binary.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Target {
    /// Its package.
    pub package: String,
    /// The package's version.
    pub version: String,
    /// Its kind.
    pub kind: Kind,
    /// Its name in the manifest.
    pub name: String,
    /// Its root source file, relative to the workspace.
    pub src: String,
    /// Whether allocations were traced.
    pub traced: bool,
    /// Why it is untraced.
    pub note: Option<String>,
    /// Why C's blocks are not traced in it, while Rust's are.
    #[serde(default)]
    pub c_untraced: Option<String>,
    /// The processes of a program that tests have started. `None` for other kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processes: Option<Processes>,
    /// The tests, by name. Those of a program have started it.
    pub tests: Vec<TestEntry>,
    /// The path of the test binary, as long as this process runs tests.
    #[serde(skip)]
    pub executable: Option<Utf8PathBuf>,
    /// Whether the compiler optimised it, or may have.
    #[serde(skip)]
    pub is_optimised: bool,
}

/// Numbers of processes of a program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Processes {
    /// All that tests have started.
    pub started: u64,
    /// Those that came to their end and were judged.
    pub judged: u64,
    /// Those that did not come to their end: a signal, `abort`, `_exit` or `exec` ended them, or
    /// they still run.
    pub unfinished: u64,
}

impl Processes {
    /// The reasons why a process does not come to its end.
    pub const UNFINISHED: &str =
        "a signal, `abort`, `_exit` or `exec` ended them, or they still run";

    /// Adds those of another report or test.
    pub fn add(&mut self, other: Self) {
        self.started += other.started;
        self.judged += other.judged;
        self.unfinished += other.unfinished;
    }
}

impl Target {
    /// Counts the tests and the programs of all targets.
    pub fn summary(targets: &[Self]) -> Summary {
        Summary::of(
            targets.iter().flat_map(|target| target.tests.iter().map(|test| (target.kind, test))),
        )
    }

    /// Its identity and its order.
    pub fn key(&self) -> (&str, Kind, &str, &str) {
        (&self.package, self.kind, &self.name, &self.version)
    }

    /// The identity of a test of this target, as in [`crate::report::LeakTest::key`].
    pub fn test_key<'a>(&'a self, test: &'a TestEntry) -> TestKey<'a> {
        (&self.package, self.kind, &self.name, &test.name)
    }
}

impl Report {
    /// The stale known leaks that fail the run.
    pub fn denied_stale_leaks(&self) -> &[StaleLeak] {
        let is_denied = self.options.deny.contains(&Deny::Stale);
        self.stale_known_leaks.as_deref().filter(|_| is_denied).unwrap_or_default()
    }

    /// Whether the run fails, though all tests have passed.
    pub fn fails(&self) -> bool {
        self.summary.fails(&self.options.deny) || !self.denied_stale_leaks().is_empty()
    }

    /// All tests, each with its target.
    pub fn tests(&self) -> impl Iterator<Item = (&Target, &TestEntry)> {
        self.targets.iter().flat_map(|target| target.tests.iter().map(move |test| (target, test)))
    }
}
