//! What a report says of one test, and of each growth that was seen in it. The harness writes it,
//! the command reads it.

use nanoserde::{DeBin, SerBin};

use crate::protocol::wire::Exchanged;

/// One test of one target.
#[derive(Debug, Clone, PartialEq, SerBin, DeBin)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct TestEntry {
    /// The test's path inside its target, as libtest prints it: `cache::tests::remembers`.
    pub name: String,
    /// What the test itself came to, whatever it leaked.
    pub outcome: Outcome,
    /// Why it was ignored, or how it failed, in one line. `None` where there is nothing to say.
    pub message: Option<String>,
    /// What its growth came to. `None` where nothing was judged: the test failed, was ignored, or
    /// ran untraced.
    pub verdict: Option<Verdict>,
    /// Why the verdict is what it is, where that needs saying: the reason of `skipped`, why a body
    /// could not run again.
    pub verdict_reason: Option<String>,
    /// What growth was allowed to reach.
    pub limit: Limit,
    /// The options of its `#[tracemalloc::check]`, where it has one. `limit` is what came of them.
    pub check: Option<CheckEntry>,
    /// Growth of each counted run, first run first.
    pub runs: Vec<RunEntry>,
    /// Growth by traceback and what has become of it, the most bytes first; only what grew.
    pub growth: Vec<GrowthEntry>,
    /// Why the heap could not be searched for what holds the growth, or not all of it. `None`
    /// where it was, or nobody asked.
    pub heap_note: Option<String>,
    /// Eight hexadecimal digits that stay the same while the leaking lines move: made of package,
    /// target, test and the functions of what grew. Empty where nothing grew.
    pub id: String,
    /// Wall time of the whole child process in seconds, all runs included.
    pub duration_seconds: f64,
}

impl Exchanged for TestEntry {
    const NAME: &'static str = "TestEntry";
}

impl TestEntry {
    /// A test that passed and was not judged.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            outcome: Outcome::Passed,
            message: None,
            verdict: None,
            verdict_reason: None,
            limit: Limit::default(),
            check: None,
            runs: Vec::new(),
            growth: Vec::new(),
            heap_note: None,
            id: String::new(),
            duration_seconds: 0.0,
        }
    }

    /// A test that failed, and why.
    pub fn failed(name: &str, message: String) -> Self {
        Self { outcome: Outcome::Failed, message: Some(message), ..Self::new(name) }
    }
}

/// What a test came to as a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, SerBin, DeBin)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "json", serde(rename_all = "snake_case"))]
pub enum Outcome {
    /// It passed.
    Passed,
    /// An assertion failed, or the process died.
    Failed,
    /// It was not run.
    Ignored,
}

/// What a test's growth came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, SerBin, DeBin)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "json", serde(rename_all = "snake_case"))]
pub enum Verdict {
    /// Growth of the first run was within the limit.
    Clean,
    /// It grew in the first run but not in every later one, or only under an initialiser that runs
    /// once by nature.
    Once,
    /// What nothing points to any more, or what grew in every counted run, was above the limit.
    Leak,
    /// It leaks, or is unconfirmed, and without what the configuration knows it would be neither.
    Known,
    /// It grew in the first run, and the body could not run again.
    Unconfirmed,
    /// It opted out, with a reason.
    Skipped,
}

/// What growth may reach before it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, SerBin, DeBin)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct Limit {
    /// Bytes a run.
    pub max_growth: u64,
    /// Blocks a run; `None` is without limit.
    pub max_blocks: Option<u64>,
}

/// The options of a test's own check; `None` and empty where they were not given.
#[derive(Debug, Clone, PartialEq, Eq, Default, SerBin, DeBin)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct CheckEntry {
    /// Bytes a run.
    pub max_growth: Option<u64>,
    /// Blocks a run.
    pub max_blocks: Option<u64>,
    /// Bytes that may be live at once. What is above fails the test.
    pub max_peak: Option<u64>,
    /// File name patterns of which one has to match.
    pub include: Vec<String>,
    /// File name patterns of which none may match.
    pub exclude: Vec<String>,
    /// Frames a traceback keeps.
    pub frames: Option<u32>,
    /// How often the body runs at most.
    pub runs: Option<u32>,
    /// What blocks have in common that are one growth: `traceback`, `lineno` or `filename`.
    pub key: Option<String>,
    /// Why it opted out.
    pub skip: Option<String>,
}

/// Growth of one run: the sum over the tracebacks that grew, after filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, SerBin, DeBin)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct RunEntry {
    /// Bytes.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
}

/// Growth of the blocks of one traceback that have become of the same.
#[derive(Debug, Clone, PartialEq, Eq, SerBin, DeBin)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct GrowthEntry {
    /// What became of it.
    pub kind: GrowthKind,
    /// Bytes a run: the smallest growth over the runs in which it grew.
    pub bytes: u64,
    /// Blocks a run, in the run that `bytes` is from.
    pub blocks: u64,
    /// In how many of the counted runs it grew.
    pub runs: u32,
    /// What was allocated, where the symbols tell: `Vec<u8>`, `Rc<demo::Node>`.
    #[cfg_attr(feature = "json", serde(rename = "type"))]
    pub type_name: Option<String>,
    /// For `once` by an initialiser: what it ran under, `std::sync::OnceLock`.
    pub initialiser: Option<String>,
    /// Whether anything still points to it. `None` where the heap was not asked.
    pub retained: Option<Retained>,
    /// What holds it; for what only a lost block leads to, that block.
    pub holder: Option<HolderEntry>,
    /// The shortest way from the holder to one of the blocks, which is the last step: ten steps at
    /// most.
    pub path: Vec<StepEntry>,
    /// How many steps the way has; the ones that are left out come before the last.
    pub path_steps: u32,
    /// For `known`: what the configuration says of it.
    pub known: Option<Known>,
    /// Frames, oldest first, cut to `frames`.
    pub traceback: Vec<FrameEntry>,
    /// How many frames there were before the cut, as far as they were captured.
    pub total_nframe: u32,
}

/// Whether anything still points to a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, SerBin, DeBin)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "json", serde(rename_all = "snake_case"))]
pub enum Retained {
    /// Nothing does but what is lost itself.
    Lost,
    /// Something does.
    Held,
}

/// What a lost block is called whose type is not known.
pub const LOST_BLOCK: &str = "a lost block";

/// What holds a block.
#[derive(Debug, Clone, PartialEq, Eq, SerBin, DeBin)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct HolderEntry {
    /// What it is.
    pub kind: HolderKind,
    /// `store::SEEN`, a thread's name, what a lost block is.
    pub name: String,
    /// Where a static is declared, which the command looks up, or a lost block was allocated;
    /// `None` where that is not known.
    pub file: Option<String>,
    /// From 1.
    pub line: Option<u32>,
    /// The name of the thread that it belongs to.
    pub thread: Option<String>,
    /// The function that this thread was started with.
    pub start: Option<String>,
    /// Whether it is known to free later, or to fill once.
    pub known: bool,
}

/// What kind of thing holds a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, SerBin, DeBin)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "json", serde(rename_all = "snake_case"))]
pub enum HolderKind {
    /// A static of the program.
    Static,
    /// Data of a library.
    Library,
    /// A thread-local of a living thread.
    ThreadLocal,
    /// A living thread's stack.
    Stack,
    /// A living thread's register.
    Register,
    /// Memory that is nobody's in particular.
    Foreign,
    /// Another block that is lost.
    LostBlock,
}

/// One step of the way from a holder to a block: a block on the way, or itself.
#[derive(Debug, Clone, PartialEq, Eq, SerBin, DeBin)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct StepEntry {
    /// What it is, where the symbols tell.
    #[cfg_attr(feature = "json", serde(rename = "type"))]
    pub type_name: Option<String>,
    /// Where it was allocated; `None` for a block that was not traced.
    pub file: Option<String>,
    /// From 1.
    pub line: Option<u32>,
    /// Its size in bytes.
    pub bytes: u64,
}

/// What became of one traceback's growth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, SerBin, DeBin)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "json", serde(rename_all = "snake_case"))]
pub enum GrowthKind {
    /// Grew in every counted run.
    Leak,
    /// Grew in every run, and the body could not run again.
    Unconfirmed,
    /// One of the two, and the configuration knows it.
    Known,
    /// Grew in some run, not in all.
    Once,
    /// Grew under an initialiser that runs once by nature.
    Initialiser,
}

/// A leak that the configuration knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, SerBin, DeBin)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct Known {
    /// Where it says so: `tracemalloc.toml:12`.
    pub place: String,
    /// Why it is no failure.
    pub reason: String,
}

/// One frame as the report shows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, SerBin, DeBin)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct FrameEntry {
    /// Demangled, without a hash. Empty where nothing is known.
    pub function: String,
    /// `src/lib.rs` inside the workspace, `serde_json-1.0.154/src/de.rs` in a dependency,
    /// `std/src/io/mod.rs` in the standard library, `<unknown>` where nothing is known.
    pub file: String,
    /// From 1; 0 is unknown.
    pub line: u32,
    /// From 1; 0 is unknown.
    pub column: u32,
}
