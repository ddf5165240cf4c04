//! The files of the programs that a test starts, for the command.
//!
//! A test's directory is `<test number>.programs` beside its entry. It has a directory for each
//! program, by the name of its file. There, each process that is judged leaves a `.entry` if it has
//! lost memory. It adds a byte to a common file if not. A process that has not come to its end
//! leaves an empty `.slots`.

use std::path::{Path, PathBuf};

use tracemalloc::internal::{WireValue, wire};

use crate::protocol::wire::Exchanged;

/// Names a test's directory, in the environment of that test and of the processes that it starts.
pub const STARTED_BY_VAR: &str = "TRACEMALLOC_STARTED_BY";
/// The extension of a test's directory.
pub const PROGRAMS_EXTENSION: &str = "programs";
/// The file with the [`Starter`], in a test's directory.
pub const STARTER_FILE: &str = "starter";
/// A file in a test's directory: programs that are started later are not traced.
pub const CLOSED_FILE: &str = "closed";
/// The file in a program's directory with a byte for each process that has lost nothing.
pub const CLEAN_FILE: &str = "clean";

/// A test that starts programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Starter {
    /// The session's directory.
    pub session_dir: String,
    /// The test's package.
    pub package: String,
    /// The crate's name of its target.
    pub crate_name: String,
    /// Its name.
    pub test: String,
}

wire!(struct Starter { session_dir, package, crate_name, test });

impl Exchanged for Starter {
    const NAME: &'static str = "Starter";
}

impl Starter {
    /// The name of the test among the tests of all targets: `cli::prints_help`.
    pub fn full_name(&self) -> String {
        format!("{}::{}", self.crate_name, self.test)
    }
}

/// The directory of the test with this entry.
pub fn directory(entry: &Path) -> PathBuf {
    entry.with_extension(PROGRAMS_EXTENSION)
}

/// Removes the directory of an earlier attempt at a test.
pub fn remove(entry: &Path) {
    // Without it, results of the attempts add up.
    let _ = std::fs::remove_dir_all(directory(entry));
}
