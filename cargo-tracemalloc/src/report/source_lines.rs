//! Lines of the workspace's source files.

use std::cell::RefCell;

use camino::{Utf8Path, Utf8PathBuf};
use tracemalloc::Sources;
use tracemalloc_harness::FrameEntry;

use crate::report::code_owner::is_of_workspace;

/// Longer lines are cut.
const WIDEST: usize = 100;

/// The source files of a workspace, each read once.
#[derive(Debug)]
pub struct SourceLines {
    root: Utf8PathBuf,
    sources: RefCell<Sources>,
}

impl SourceLines {
    /// The files below a directory.
    pub fn new(root: &Utf8Path) -> Self {
        Self { root: root.to_owned(), sources: RefCell::default() }
    }

    /// The line of the most recent frame inside the workspace.
    pub fn of(&self, traceback: &[FrameEntry]) -> Option<String> {
        let frame = traceback.iter().rev().find(|frame| is_of_workspace(frame))?;
        let mut sources = self.sources.borrow_mut();
        let line = sources.line(self.root.join(&frame.file).as_str(), frame.line)?;
        Some(line.chars().take(WIDEST).collect())
    }
}
