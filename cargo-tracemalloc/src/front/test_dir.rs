//! The directory for temporary files of one test's process.
//!
//! Under libtest all tests share a process. So many tests name directories in
//! `std::env::temp_dir()` by a counter in a static. With a process for each test, the names would
//! collide.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The variables that `std::env::temp_dir` reads.
const VARIABLES: &[&str] = if cfg!(windows) { &["TMP", "TEMP"] } else { &["TMPDIR"] };

/// A directory inside the front's private directory. Removed when dropped.
#[derive(Debug)]
pub struct TestDir {
    path: PathBuf,
}

impl TestDir {
    /// Creates the directory for the test with this number. Its name is short, because the paths of
    /// sockets must be short.
    pub fn create(private_dir: &Path, number: usize) -> io::Result<Self> {
        let path = private_dir.join(format!("{number:x}"));
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path)?;
        Ok(Self { path })
    }

    /// Makes a process put its temporary files there.
    pub fn give_to(&self, process: &mut Command) {
        for variable in VARIABLES {
            process.env(variable, &self.path);
        }
    }
}

impl Drop for TestDir {
    fn drop(&mut self) {
        // The front removes its own directory at the end.
        let _remains = fs::remove_dir_all(&self.path);
    }
}
