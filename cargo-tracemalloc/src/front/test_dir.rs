//! The directory for temporary files of one test's process.
//!
//! Under libtest all tests share a process. So many tests name directories in
//! `std::env::temp_dir()` by a counter in a static. With a process for each test, the names would
//! collide.

use std::io;
use std::path::PathBuf;
use std::process::Command;

/// The variables that `std::env::temp_dir` reads.
const VARIABLES: &[&str] = if cfg!(windows) { &["TMP", "TEMP"] } else { &["TMPDIR"] };

/// A directory inside the system's directory for temporary files.
#[derive(Debug)]
pub struct TestDir {
    path: PathBuf,
}

impl TestDir {
    /// Creates the directory for the test with this number. Its name is short, because the paths of
    /// sockets must be short.
    pub fn make(number: usize) -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("tm{:x}-{number:x}", std::process::id()));
        match std::fs::create_dir(&path) {
            // A killed process with the same id may have left it.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Self { path }),
            made => made.map(|()| Self { path }),
        }
    }

    /// Makes a process put its temporary files there.
    pub fn give_to(&self, process: &mut Command) {
        for variable in VARIABLES {
            process.env(variable, &self.path);
        }
    }

    /// Removes the directory with all files in it.
    pub fn remove(self) {
        // The system cleans its directory of temporary files.
        let _ = std::fs::remove_dir_all(self.path);
    }
}
