//! Lines of the workspace's source files.

use std::cell::RefCell;
use std::collections::HashMap;

use camino::{Utf8Path, Utf8PathBuf};
use tracemalloc_harness::FrameEntry;

use crate::report::code_owner::is_of_workspace;

/// Longer lines are cut.
const WIDEST: usize = 100;

/// The source files of a workspace, each read once.
#[derive(Debug)]
pub struct SourceLines {
    root: Utf8PathBuf,
    files: RefCell<HashMap<String, Vec<String>>>,
}

impl SourceLines {
    /// The files below a directory.
    pub fn new(root: &Utf8Path) -> Self {
        Self { root: root.to_owned(), files: RefCell::default() }
    }

    /// The line of the most recent frame inside the workspace.
    pub fn of(&self, traceback: &[FrameEntry]) -> Option<String> {
        let frame = traceback.iter().rev().find(|frame| is_of_workspace(frame))?;
        let index = usize::try_from(frame.line).ok()?.checked_sub(1)?;
        let mut files = self.files.borrow_mut();
        let lines = files.entry(frame.file.clone()).or_insert_with(|| {
            let text = fs_err::read_to_string(self.root.join(&frame.file)).unwrap_or_default();
            text.lines().map(|line| line.trim().chars().take(WIDEST).collect()).collect()
        });
        lines.get(index).filter(|line| !line.is_empty()).cloned()
    }
}
