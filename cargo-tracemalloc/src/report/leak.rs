//! A leak: one cause, with all tests that show it.

use indexmap::IndexSet;
use serde::{Deserialize, Serialize};
use tracemalloc::Domain;
use tracemalloc::internal::function_name;
use tracemalloc_harness::{FrameEntry, GrowthKind, HolderEntry, Known, StepEntry, Verdict};

use crate::cli::Deny;
use crate::report::code_owner::is_of_workspace;
use crate::report::growth_rate::GrowthRate;
use crate::report::hint::Hint;
use crate::report::kind::Kind;

/// A leak.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leak {
    /// Its fingerprint: eight hexadecimal digits.
    pub id: String,
    /// Its kind.
    pub kind: LeakKind,
    /// The verdict on it: the worst of all tests.
    pub verdict: GrowthKind,
    /// Bytes a run with all that it retains, in the test that shows the most.
    pub bytes: u64,
    /// Blocks a run, in the same test.
    pub blocks: u64,
    /// Bytes a run, as far as any number of runs proves the same: the most of all tests. `None` if
    /// this is exactly `bytes`.
    #[serde(default)]
    pub rate: Option<GrowthRate>,
    /// Bytes of all runs of all tests.
    pub total_bytes: u64,
    /// Blocks of all runs of all tests.
    pub total_blocks: u64,
    /// The language that allocates the root, `rust` or `c`. For held memory, that of the growing
    /// part.
    #[serde(default = "Domain::rust")]
    pub domain: Domain,
    /// The root's type. For held memory, the type of the growing part.
    #[serde(rename = "type")]
    pub type_name: Option<String>,
    /// Further types of the root: one line of a generic may leak for several.
    #[serde(default)]
    pub other_types: Vec<String>,
    /// The holder of held memory.
    pub holder: Option<HolderEntry>,
    /// The shortest path from the holder to the growing part.
    pub path: Vec<StepEntry>,
    /// The number of steps of the whole path. Steps are missing before the last one.
    pub path_steps: u32,
    /// The way round the cycle; the last step points to the first.
    pub cycle: Vec<StepEntry>,
    /// The number of steps of the whole cycle. Steps are missing before the last one.
    pub cycle_steps: u32,
    /// Proven facts about the cause.
    #[serde(default)]
    pub hints: Vec<Hint>,
    /// The places that allocate: the root's first, then the most bytes first.
    pub sites: Vec<Site>,
    /// The tests that show it, the most telling first.
    pub tests: Vec<LeakTest>,
    /// The entry of the configuration or of the baseline: its place and its reason. The leak may
    /// have outgrown it.
    pub known: Option<Known>,
    /// The growth in bytes a run that this entry allows; `None` if it allows any.
    pub known_bytes: Option<u64>,
    /// Functions that allocate for it, and that the baseline does not name.
    #[serde(default)]
    pub new_functions: Vec<String>,
}

/// Kinds of leaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeakKind {
    /// A lost block, with all that only it leads to.
    Lost,
    /// Lost blocks that lead to each other.
    Cycle,
    /// Something that a holder leads to, and that goes on growing.
    Held,
    /// Growth of unknown fate: the heap was not searched.
    Grown,
}

/// A place that allocates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// The language that allocates: `rust` or `c`.
    #[serde(default = "Domain::rust")]
    pub domain: Domain,
    /// The type that it allocates.
    #[serde(rename = "type")]
    pub type_name: Option<String>,
    /// Bytes a run, in the test that shows the most.
    pub bytes: u64,
    /// Blocks a run, in the same test.
    pub blocks: u64,
    /// The source line of the first frame inside the workspace.
    pub source: Option<String>,
    /// Frames, oldest first.
    pub traceback: Vec<FrameEntry>,
    /// The number of captured frames before the cut to `frames`.
    pub total_nframe: u32,
}

impl Leak {
    /// Whether it fails the run.
    pub fn fails(&self, deny: &[Deny]) -> bool {
        let verdict = match self.verdict {
            GrowthKind::Leak => Verdict::Leak,
            GrowthKind::Unconfirmed => Verdict::Unconfirmed,
            GrowthKind::Known => Verdict::Known,
            GrowthKind::Once | GrowthKind::Initialiser => Verdict::Once,
        };
        Deny::fails(deny, verdict)
    }

    /// Bytes a run, for a comparison with another number of runs.
    pub fn rate(&self) -> GrowthRate {
        self.rate.unwrap_or(GrowthRate::exactly(self.bytes))
    }

    /// The functions of the workspace that allocate for it, without generics and tests.
    pub fn functions(&self) -> IndexSet<String> {
        let frames = self
            .sites
            .iter()
            .filter_map(|site| site.traceback.iter().rev().find(|frame| is_of_workspace(frame)));
        let functions = frames.map(|frame| function_of(&function_name::path(&frame.function)));
        let tests: Vec<String> = self.tests.iter().map(|test| format!("::{}", test.name)).collect();
        let is_test = |function: &str| tests.iter().any(|test| function.ends_with(test));
        functions.filter(|function| !is_test(function)).collect()
    }

    /// Sets bytes, blocks and rate to those of the test that shows the most.
    pub(super) fn measure(&mut self) {
        let most = self.tests.iter().map(|test| (test.bytes, test.blocks)).max();
        (self.bytes, self.blocks) = most.unwrap_or_default();
        let rate = self.tests.iter().map(LeakTest::rate).reduce(GrowthRate::max);
        self.rate = rate.and_then(|rate| rate.unless_exactly(self.bytes));
    }
}

/// The function in which closures stand.
fn function_of(path: &str) -> String {
    path.split("::{closure").next().unwrap_or(path).to_owned()
}

/// The identity of a test: its package, kind of target, target and name.
pub type TestKey<'a> = (&'a str, Kind, &'a str, &'a str);

impl LeakTest {
    /// Bytes a run, for a comparison with another number of runs.
    pub fn rate(&self) -> GrowthRate {
        self.rate.unwrap_or(GrowthRate::exactly(self.bytes))
    }

    /// Its identity and its order.
    pub fn key(&self) -> TestKey<'_> {
        (&self.package, self.kind, &self.target, &self.name)
    }
}

/// A test that shows a leak.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeakTest {
    /// The package.
    pub package: String,
    /// The target's kind.
    pub kind: Kind,
    /// The target's name.
    pub target: String,
    /// The test's name.
    pub name: String,
    /// Bytes a run.
    pub bytes: u64,
    /// Blocks a run.
    pub blocks: u64,
    /// Bytes a run, as far as any number of runs proves the same. `None` if this is exactly
    /// `bytes`.
    #[serde(default)]
    pub rate: Option<GrowthRate>,
    /// Bytes of all its runs.
    pub total_bytes: u64,
    /// Blocks of all its runs.
    pub total_blocks: u64,
}
