//! The directory in which the programs that this test starts leave their entries.

use std::path::{Path, PathBuf};

use crate::child::test_binary;
use crate::protocol::fragment;
use crate::protocol::started_programs::{
    CLOSED_FILE, STARTED_BY_VAR, STARTER_FILE, Starter, directory,
};

/// The directory of this process's test.
#[derive(Debug, Clone)]
pub struct StartedPrograms {
    directory: PathBuf,
}

impl StartedPrograms {
    /// Creates the directory beside the test's entry, and tells the processes that the test starts.
    /// `None` if that is impossible. Then they run untraced.
    ///
    /// # Safety
    ///
    /// No other thread reads or writes the environment.
    pub unsafe fn open(session_dir: &Path, entry: &Path, test: &str) -> Option<Self> {
        let target = test_binary::target();
        let starter = Starter {
            session_dir: session_dir.to_string_lossy().into_owned(),
            package: target.package.clone(),
            crate_name: target.crate_name.clone(),
            test: test.to_owned(),
        };
        let directory = directory(entry);
        fragment::write(&directory.join(STARTER_FILE), &starter).ok()?;
        // SAFETY: the caller promises it.
        unsafe { std::env::set_var(STARTED_BY_VAR, &directory) };
        Some(Self { directory })
    }

    /// Leaves programs untraced that are started from now on. A test that runs again starts them
    /// again, and what they lose is known.
    pub fn close(&self) {
        // Otherwise they leave the same entries again.
        let _ = std::fs::write(self.directory.join(CLOSED_FILE), "");
    }
}
