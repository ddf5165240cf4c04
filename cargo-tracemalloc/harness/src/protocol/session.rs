//! What the command tells the harness: one file in a directory that one environment variable names.
//!
//! Test processes of one `cargo tracemalloc test` share the directory. Fragments go to a directory
//! inside it.

use std::collections::BTreeMap;

use nanoserde::{DeBin, SerBin};

use crate::protocol::program_run::Run;
use crate::protocol::test_entry::{Known, Limit, Verdict};
use crate::protocol::wire::Exchanged;

/// Names the session's directory. The harness takes it out of a test's environment.
pub const SESSION_VAR: &str = "TRACEMALLOC_SESSION";
/// The file in the session's directory that holds the [`Session`].
pub const SESSION_FILE: &str = "session";
/// The directory in the session's directory for fragments: `<executable's file name>/<test
/// number>.entry`, each one [`TestEntry`](crate::protocol::test_entry::TestEntry), and beside them `target`, a copy of
/// the [`TargetNote`](crate::protocol::target_note::TargetNote).
pub const FRAGMENTS_DIR: &str = "fragments";

/// The file with the [`TargetNote`](crate::protocol::target_note::TargetNote) among a binary's fragments.
pub const TARGET_FILE: &str = "target";
/// What the names of the files with a [`TestEntry`](crate::protocol::test_entry::TestEntry) end in.
pub const ENTRY_EXTENSION: &str = "entry";

/// What holds for every test of one run of the command.
#[derive(Debug, Clone, Default, SerBin, DeBin)]
pub struct Session {
    /// How to measure and judge.
    pub options: Options,
    /// Kill a test after this many seconds.
    pub timeout_seconds: Option<f64>,
    /// What holds for some tests instead. Of several that say something of one option, the first
    /// holds.
    pub overrides: Vec<Override>,
    /// Leaks that are no failure.
    pub known_leaks: Vec<KnownLeak>,
    /// Verdicts that fail a test, where nobody waits for fragments; `None` where the command does,
    /// and judges.
    pub fail_on: Option<Vec<Verdict>>,
    /// How absolute file names become the report's, longest prefix first.
    pub path_prefixes: Vec<PathPrefix>,
    /// What the environment of tests has to be put back to: variables that the command changed for
    /// cargo, each with the value that it had, `None` for unset.
    pub restore_env: BTreeMap<String, Option<String>>,
    /// Holders of memory that free later or fill once; `None` for those that are built in.
    pub known_holders: Option<Vec<HolderRule>>,
    /// For a program that is no test: how to watch it. `None` where its growth is judged as that
    /// of a test.
    pub run: Option<Run>,
    /// The command itself, absolute: it is the front of the test binaries.
    pub command: String,
    /// The socket on which the command tells what stands in files; `None` where it does not live
    /// as long as the tests.
    pub names: Option<String>,
}

impl Exchanged for Session {
    const NAME: &'static str = "Session";
}

/// Statics or threads that free what they hold later, or fill once: growth that only they hold is
/// no leak.
#[derive(Debug, Clone, PartialEq, Eq, SerBin, DeBin)]
pub struct HolderRule {
    /// Whether threads are meant, by the function that they were started with, or statics.
    pub is_thread: bool,
    /// A pattern (Python's `fnmatch`) for the name.
    pub pattern: String,
    /// Why it is no leak.
    pub reason: String,
}

/// How to measure and judge a test. A part of the report.
#[derive(Debug, Clone, PartialEq, Eq, SerBin, DeBin)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct Options {
    /// What growth may reach.
    pub limit: Limit,
    /// How often a body runs at most.
    pub runs: u32,
    /// Frames a traceback keeps, after those of the allocator and the standard library are left
    /// out.
    pub frames: u32,
    /// File name patterns (Python's `fnmatch`) of which one has to match the most recent frame;
    /// empty is all.
    pub include: Vec<String>,
    /// File name patterns of which none may match the most recent frame.
    pub exclude: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limit: Limit::default(),
            runs: 8,
            frames: 16,
            include: Vec::new(),
            exclude: Vec::new(),
        }
    }
}

/// Options of the tests that both patterns match; `None` is any, and says nothing.
#[derive(Debug, Clone, Default, PartialEq, SerBin, DeBin)]
pub struct Override {
    /// Of the package's name.
    pub package: Option<String>,
    /// Of the test's name.
    pub test: Option<String>,
    /// See [`Limit::max_growth`].
    pub max_growth: Option<u64>,
    /// See [`Limit::max_blocks`].
    pub max_blocks: Option<u64>,
    /// See [`Options::runs`].
    pub runs: Option<u32>,
    /// See [`Options::frames`].
    pub frames: Option<u32>,
    /// See [`Options::include`].
    pub include: Option<Vec<String>>,
    /// See [`Options::exclude`].
    pub exclude: Option<Vec<String>>,
    /// See [`Session::timeout_seconds`].
    pub timeout_seconds: Option<f64>,
}

/// Growth that is no failure, by patterns; `None` is any.
#[derive(Debug, Clone, Default, PartialEq, Eq, SerBin, DeBin)]
pub struct KnownLeak {
    /// Of the package's name.
    pub package: Option<String>,
    /// Of the test's name.
    pub test: Option<String>,
    /// Of a frame's file, as the report shows it.
    pub file: Option<String>,
    /// Of the same frame's function.
    pub function: Option<String>,
    /// What the report says of it.
    pub known: Known,
}

/// One rule of how file names are shortened.
#[derive(Debug, Clone, PartialEq, Eq, SerBin, DeBin)]
pub struct PathPrefix {
    /// An absolute directory, without a slash at the end.
    pub prefix: String,
    /// What stands for it: empty for the workspace's root, `serde_json-1.0.154` for a dependency.
    pub replacement: String,
}
