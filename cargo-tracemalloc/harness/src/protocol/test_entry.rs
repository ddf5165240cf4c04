//! The report's entry for one test and each of its growths. The harness writes it, and the command
//! reads it.

use tracemalloc::internal::Limit;
use tracemalloc::internal::judge::{GrowthKind, Rate, Verdict};
use tracemalloc::internal::{WireValue, wire};
use tracemalloc::{Domain, Limits};

use crate::protocol::wire::Exchanged;

/// One test of one target.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct TestEntry {
    /// The test's path inside its target, as libtest prints it: `cache::tests::remembers`.
    pub name: String,
    /// The test's outcome without regard to leaks.
    pub outcome: Outcome,
    /// Whether it failed beside other tests of its binary, and then passed alone. What follows is
    /// of the second attempt.
    pub passed_alone: bool,
    /// One line: why the test was ignored, or how it failed, if only beside other tests.
    pub message: Option<String>,
    /// The verdict on its growth. `None` if the test failed, was ignored or ran untraced.
    pub verdict: Option<Verdict>,
    /// The reason of the verdict, for `skipped` and `unconfirmed` for example.
    pub verdict_reason: Option<String>,
    /// The growth that the test may have.
    pub limit: Limit,
    /// The options of the test's own `#[tracemalloc::check]`. `limit` is the result of the merge.
    pub check: Option<Limits>,
    /// The growth of each counted run, the first run first.
    pub runs: Vec<RunEntry>,
    /// The growth by traceback, the most bytes first.
    pub growth: Vec<GrowthEntry>,
    /// The blocks that one language allocated and the other one freed.
    #[cfg_attr(feature = "json", serde(default))]
    pub mismatches: Vec<MismatchEntry>,
    /// Why the heap was not searched, or not as a whole. `None` if it was searched, or if there was
    /// no need.
    pub heap_note: Option<String>,
    /// The ids of the leaks that the test shows. The command sets them.
    pub leaks: Vec<String>,
    /// The wall time of the child process in seconds, with all runs.
    pub duration_seconds: f64,
}

wire!(struct TestEntry {
    name, outcome, passed_alone, message, verdict, verdict_reason, limit, check, runs, growth,
    mismatches, heap_note, leaks, duration_seconds,
});

impl Exchanged for TestEntry {
    const NAME: &'static str = "TestEntry";
}

impl TestEntry {
    /// A test that passed and has no verdict.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            outcome: Outcome::Passed,
            passed_alone: false,
            message: None,
            verdict: None,
            verdict_reason: None,
            limit: Limit::default(),
            check: None,
            runs: Vec::new(),
            growth: Vec::new(),
            mismatches: Vec::new(),
            heap_note: None,
            leaks: Vec::new(),
            duration_seconds: 0.0,
        }
    }

    /// A test that failed, with the reason.
    pub fn failed(name: &str, message: String) -> Self {
        Self { outcome: Outcome::Failed, message: Some(message), ..Self::new(name) }
    }
}

/// The outcome of a test without regard to leaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "json", serde(rename_all = "snake_case"))]
pub enum Outcome {
    /// The test passed.
    Passed,
    /// An assertion failed, or the process died.
    Failed,
    /// The test did not run.
    Ignored,
}

wire!(
    enum Outcome {
        Passed,
        Failed,
        Ignored,
    }
);

/// The growth of one run: the sum over all tracebacks that grew, after filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct RunEntry {
    /// Bytes.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
}

wire!(struct RunEntry { bytes, blocks });

/// The growth of one traceback, as far as its blocks have the same kind and holder.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct GrowthEntry {
    /// The kind of growth.
    pub kind: GrowthKind,
    /// Bytes a run: the smallest growth of the runs in which it grew.
    pub bytes: u64,
    /// Blocks a run, in the run that `bytes` comes from.
    pub blocks: u64,
    /// Bytes of all runs that are still there.
    pub total_bytes: u64,
    /// Blocks of all runs that are still there.
    pub total_blocks: u64,
    /// The number of counted runs in which it grew.
    pub runs: u32,
    /// The bytes a run that any number of runs proves. `None` if these are `bytes`, in every run.
    #[cfg_attr(feature = "json", serde(default))]
    pub rate: Option<Rate>,
    /// The language that allocated the blocks: `rust` or `c`.
    #[cfg_attr(feature = "json", serde(default = "Domain::rust"))]
    pub domain: Domain,
    /// The type of the blocks, if the symbols name it: `Vec<u8>`, `Rc<demo::Node>`.
    #[cfg_attr(feature = "json", serde(rename = "type"))]
    pub type_name: Option<String>,
    /// The initialiser, for `once`: `std::sync::OnceLock`.
    pub initialiser: Option<String>,
    /// Whether a pointer leads to the blocks. `None` if the heap was not searched.
    pub retained: Option<Retained>,
    /// The holder. For blocks that only a lost block leads to, that block.
    pub holder: Option<HolderEntry>,
    /// The frames that allocated the lost block that leads to these, oldest first. Empty if no
    /// lost block does.
    pub head_traceback: Vec<FrameEntry>,
    /// The shortest path from the holder to one of the blocks, which is the last step. At most ten
    /// steps.
    pub path: Vec<StepEntry>,
    /// The number of steps of the whole path. Steps are missing before the last one.
    pub path_steps: u32,
    /// The cycle that a lost block begins: each step points to the next, and the last one to the
    /// first. At most ten steps; empty if there is no cycle.
    pub cycle: Vec<StepEntry>,
    /// The number of steps of the whole cycle. Steps are missing before the last one.
    pub cycle_steps: u32,
    /// For `known`: the place and reason from the configuration.
    pub known: Option<Known>,
    /// The frames, oldest first, cut to `frames`.
    pub traceback: Vec<FrameEntry>,
    /// The number of captured frames before the cut.
    pub total_nframe: u32,
}

wire!(struct GrowthEntry {
    kind, bytes, blocks, total_bytes, total_blocks, runs, rate, domain, type_name, initialiser,
    retained, holder, head_traceback, path, path_steps, cycle, cycle_steps, known, traceback,
    total_nframe,
});

/// Blocks that one language allocated and the other one freed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct MismatchEntry {
    /// The language that allocated them: `rust` or `c`. The other one freed them.
    pub allocated_by: Domain,
    /// Their number, in all runs.
    pub blocks: u64,
    /// The frames that allocated them, oldest first.
    pub allocated: Vec<FrameEntry>,
    /// The frames that freed them, oldest first.
    pub freed: Vec<FrameEntry>,
}

wire!(struct MismatchEntry { allocated_by, blocks, allocated, freed });

/// Whether a pointer leads to a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "json", serde(rename_all = "snake_case"))]
pub enum Retained {
    /// No pointer does, except from other lost blocks.
    Lost,
    /// A pointer does.
    Held,
}

wire!(
    enum Retained {
        Lost,
        Held,
    }
);

/// The name of a lost block of unknown type.
pub const LOST_BLOCK: &str = "a lost block";

/// The holder of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct HolderEntry {
    /// The kind of holder.
    pub kind: HolderKind,
    /// The name: `store::SEEN`, a thread's name, the type of a lost block.
    pub name: String,
    /// The file that declares the static, or that allocated the lost block. `None` if unknown. The
    /// command looks up statics.
    pub file: Option<String>,
    /// The line in it, from 1.
    pub line: Option<u32>,
    /// The name of the holder's thread.
    pub thread: Option<String>,
    /// The start function of that thread.
    pub start: Option<String>,
    /// Whether this is a known holder, which frees later or fills once.
    pub known: bool,
    /// The offset of the pointer in a static or a thread-local; `None` if it is not known.
    #[cfg_attr(feature = "json", serde(default))]
    pub pointer: Option<u64>,
    /// The fields of the static or thread-local that lead to the pointer: `entries`. Empty if the
    /// pointer is no field that a person would name. `None` if they are not known. The command sets
    /// it.
    #[cfg_attr(feature = "json", serde(default))]
    pub field: Option<String>,
}

wire!(struct HolderEntry { kind, name, file, line, thread, start, known, pointer, field });

/// The kind of a holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// Memory that belongs to no allocator, module or thread.
    Foreign,
    /// A lost block.
    LostBlock,
}

wire!(
    enum HolderKind {
        Static,
        Library,
        ThreadLocal,
        Stack,
        Register,
        Foreign,
        LostBlock,
    }
);

/// A step of the path from a holder to a block. The block itself is the last step.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct StepEntry {
    /// The type, if the symbols name it.
    #[cfg_attr(feature = "json", serde(rename = "type"))]
    pub type_name: Option<String>,
    /// The file that allocated it; `None` for an untraced block, or if the line is not known.
    pub file: Option<String>,
    /// The line in it, from 1.
    pub line: Option<u32>,
    /// The function that allocated it, if its line is not known: `libz.so.1!inflateInit2_`. It may
    /// be empty. `None` for an untraced block.
    #[cfg_attr(feature = "json", serde(default))]
    pub function: Option<String>,
    /// The size in bytes.
    pub bytes: u64,
    /// The offset in the block of the pointer to the next step; 4294967295 if it is not known. 0
    /// for the last step of a path.
    pub pointer: u32,
    /// On a cycle, for the block of an `Rc` or `Arc`: the number of strong handles to it. 0 if some
    /// pointer to it is not proven to be one.
    pub strong: u32,
    /// The fields that lead to the pointer: `next`, or `[..].page` in the elements of a vector.
    /// Empty if the pointer is no field that a person would name. `None` for the last step of a
    /// path, and if they are not known. The command sets it.
    pub field: Option<String>,
}

wire!(struct StepEntry { type_name, file, line, function, bytes, pointer, strong, field });

/// The configuration's entry for a known leak.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct Known {
    /// Its place: `tracemalloc.toml:12`.
    pub place: String,
    /// Why it does not fail the test.
    pub reason: String,
}

wire!(struct Known { place, reason });

/// One frame of the report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct FrameEntry {
    /// The demangled name, without a hash. Empty if unknown.
    pub function: String,
    /// The file: `src/lib.rs` inside the workspace, `serde_json-1.0.154/src/de.rs` in a dependency,
    /// `std/src/io/mod.rs` in the standard library, `<unknown>` if unknown.
    pub file: String,
    /// From 1; 0 is unknown.
    pub line: u32,
    /// From 1; 0 is unknown.
    pub column: u32,
}

wire!(struct FrameEntry { function, file, line, column });
