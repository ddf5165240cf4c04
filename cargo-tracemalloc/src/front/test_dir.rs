//! A directory for temporary files of one test's process.
//!
//! Under libtest all tests share a process, so a counter in a static is enough to keep their files
//! apart, and many test suites name directories below `std::env::temp_dir()` that way. With a
//! process for each test they would meet there.

use std::io;
use std::path::PathBuf;
use std::process::Command;

/// What `std::env::temp_dir` reads.
const VARIABLES: &[&str] = if cfg!(windows) { &["TMP", "TEMP"] } else { &["TMPDIR"] };

/// A directory below the system's own for temporary files.
#[derive(Debug)]
pub struct TestDir {
    path: PathBuf,
}

impl TestDir {
    /// Makes the directory of the test with this number. Its name is short: a socket's path has
    /// little room.
    pub fn make(number: usize) -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("tm{:x}-{number:x}", std::process::id()));
        match std::fs::create_dir(&path) {
            // Of a process that had the same number and was killed.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Self { path }),
            made => made.map(|()| Self { path }),
        }
    }

    /// Has a process put its temporary files there.
    pub fn give_to(&self, process: &mut Command) {
        for variable in VARIABLES {
            process.env(variable, &self.path);
        }
    }

    /// Removes it with all that the test has left in it.
    pub fn remove(self) {
        // What cannot be removed from the system's temporary directory, the system removes.
        let _ = std::fs::remove_dir_all(self.path);
    }
}
