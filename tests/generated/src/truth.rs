//! The list of a workspace's tests, which lies beside them: a line each, name, family and kind.

use std::fs;
use std::path::Path;

use crate::kind::CLEAN;
use crate::test_case::TestCase;

/// The name of its file.
pub const FILE: &str = "truth.txt";

/// A test, and what its verdict has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// The test's name.
    pub name: String,
    /// The family of its core.
    pub family: String,
    /// The kind of its core.
    pub kind: String,
}

impl Truth {
    /// Whether the test leaks.
    pub fn leaks(&self) -> bool {
        self.family != CLEAN
    }
}

/// The text of the list.
pub fn text(tests: &[TestCase]) -> String {
    tests.iter().map(|test| format!("{} {} {}\n", test.name, test.family, test.kind)).collect()
}

/// Reads the list.
pub fn read(path: &Path) -> Result<Vec<Truth>, String> {
    let text = fs::read_to_string(path)
        .map_err(|error| format!("failed to read {}: {error}", path.display()))?;
    text.lines()
        .map(|line| match line.split(' ').collect::<Vec<_>>()[..] {
            [name, family, kind] => Ok(Truth {
                name: name.to_owned(),
                family: family.to_owned(),
                kind: kind.to_owned(),
            }),
            _ => Err(format!("line {line:?} of {} is not NAME FAMILY KIND", path.display())),
        })
        .collect()
}
