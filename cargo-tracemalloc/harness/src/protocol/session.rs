//! The command's options for the harness: one file in a directory that an environment variable
//! names.
//!
//! All test processes of one `cargo tracemalloc test` share the directory. Fragments go to a
//! directory inside it.

use std::collections::BTreeMap;

use tracemalloc::Limits;
use tracemalloc::internal::judge::{Prefix, Verdict};
use tracemalloc::internal::{WireValue, wire};

use crate::protocol::program_run::Run;
use crate::protocol::test_entry::Known;
use crate::protocol::wire::Exchanged;

/// Names the session's directory. The harness removes it from a test's environment.
pub const SESSION_VAR: &str = "TRACEMALLOC_SESSION";
/// The file in the session's directory that holds the [`Session`].
pub const SESSION_FILE: &str = "session";
/// The directory for fragments, inside the session's directory. It has a directory for each
/// executable. There, `<test number>.entry` is a
/// [`TestEntry`](crate::protocol::test_entry::TestEntry), and `target` a copy of the
/// [`TargetNote`](crate::protocol::target_note::TargetNote).
pub const FRAGMENTS_DIR: &str = "fragments";

/// The file with the [`TargetNote`](crate::protocol::target_note::TargetNote) among a binary's
/// fragments.
pub const TARGET_FILE: &str = "target";
/// The extension of files that hold a [`TestEntry`](crate::protocol::test_entry::TestEntry).
pub const ENTRY_EXTENSION: &str = "entry";

/// The options for every test of one run of the command.
#[derive(Debug, Clone, Default)]
pub struct Session {
    /// How to measure and judge.
    pub limits: Limits,
    /// A test that takes longer is killed.
    pub timeout_seconds: Option<f64>,
    /// Options for some tests. If several overrides set one option, the first one holds.
    pub overrides: Vec<Override>,
    /// Leaks that do not fail a test.
    pub known_leaks: Vec<KnownLeak>,
    /// Leaks that do not fail a test, by fingerprint. The command finds fingerprints, and so does
    /// the front if no command waits.
    pub known_ids: Vec<KnownId>,
    /// Verdicts that fail a test if no command waits for its fragment. `None` if the command waits
    /// and judges.
    pub fail_on: Option<Vec<Verdict>>,
    /// Whether a block that one language allocated and the other one freed fails a test in the same
    /// case.
    pub fails_on_mismatch: bool,
    /// The absolute path of the workspace.
    pub workspace: String,
    /// How absolute file names become those of the report, longest prefix first.
    pub path_prefixes: Vec<Prefix>,
    /// Environment variables that the command changed for cargo, with the values that tests must
    /// see. `None` means unset.
    pub restore_env: BTreeMap<String, Option<String>>,
    /// Holders that free later or fill once. `None` means the built-in list.
    pub known_holders: Option<Vec<HolderRule>>,
    /// Whether the programs that tests start are judged.
    pub programs: bool,
    /// How to watch a program that is no test. `None` if the process is a test.
    pub run: Option<Run>,
    /// The absolute path of the command, which is the front of test binaries.
    pub command: String,
    /// The socket of the command's name server. `None` if the command ends before the tests.
    pub names: Option<String>,
}

wire!(struct Session {
    limits, timeout_seconds, overrides, known_leaks, known_ids, fail_on, fails_on_mismatch,
    workspace, path_prefixes, restore_env, known_holders, programs, run, command, names,
});

impl Session {
    /// The options for a test binary that no command started: a leak fails its test.
    pub(crate) fn of_no_command() -> Self {
        Self { fail_on: Some(vec![Verdict::Leak]), ..Self::default() }
    }
}

impl Exchanged for Session {
    const NAME: &'static str = "Session";
}

/// A known holder: a static or a thread that frees later, or fills once. Growth that only known
/// holders hold is no leak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolderRule {
    /// Whether the pattern is for the start function of a thread, and not for a static.
    pub is_thread: bool,
    /// A pattern (Python's `fnmatch`) for the name.
    pub pattern: String,
    /// For a thread, a pattern for statics: the thread counts only if its stack contains a pointer
    /// that one of these statics contains too. `None` if it always counts.
    pub only_with: Option<String>,
    /// For a static, a pattern for the paths of functions: it owns only blocks that were allocated
    /// under one of them. `None` if it may own any block.
    pub allocated_by: Option<String>,
    /// Why the growth is no leak.
    pub reason: String,
}

wire!(struct HolderRule { is_thread, pattern, only_with, allocated_by, reason });

/// Limits for the tests that both patterns match. A pattern that is `None` matches all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Override {
    /// A pattern for the package's name.
    pub package: Option<String>,
    /// A pattern for the test's name.
    pub test: Option<String>,
    /// The limits, over those of the session.
    pub limits: Limits,
    /// See [`Session::timeout_seconds`].
    pub timeout_seconds: Option<f64>,
}

wire!(struct Override { package, test, limits, timeout_seconds });

/// A leak that does not fail a test, by fingerprint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownId {
    /// The fingerprint.
    pub id: String,
    /// The growth in bytes a run up to which it is known; `None` if it may have any.
    pub max_growth: Option<u64>,
    /// The place and the reason for the report.
    pub known: Known,
}

wire!(struct KnownId { id, max_growth, known });

/// Growth that does not fail a test. A pattern that is `None` matches all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownLeak {
    /// A pattern for the package's name.
    pub package: Option<String>,
    /// A pattern for the test's name.
    pub test: Option<String>,
    /// A pattern for a frame's file, as in the report.
    pub file: Option<String>,
    /// A pattern for the same frame's function.
    pub function: Option<String>,
    /// The place and the reason for the report.
    pub known: Known,
}

wire!(struct KnownLeak { package, test, file, function, known });
