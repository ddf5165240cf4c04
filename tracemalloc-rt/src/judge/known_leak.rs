//! Growth that the configuration knows, and that is no failure.

use crate::names::symbol::Symbol;
use crate::util::fnmatch::fnmatchcase;

/// Patterns (Python's `fnmatch`) for one frame; `None` matches any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownLeak {
    /// For the frame's file, by its short name.
    pub file: Option<String>,
    /// For its function.
    pub function: Option<String>,
}

impl KnownLeak {
    /// Whether one of the frames matches both patterns.
    pub fn is_in(&self, traceback: &[Symbol]) -> bool {
        let matches = |pattern: &Option<String>, name: &str| {
            pattern.as_ref().is_none_or(|pattern| fnmatchcase(name, pattern))
        };
        traceback.iter().any(|frame| {
            matches(&self.file, &frame.file) && matches(&self.function, &frame.function)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_leak_is_about_one_frame() {
        let text = |text: &str| Some(text.to_owned());
        let frame = |function: &str, file: &str| Symbol {
            function: function.into(),
            file: file.into(),
            line: 1,
            column: 1,
        };
        let traceback = [
            frame("demo::tests::fills", "src/lib.rs"),
            frame("demo::cache::Cache::fill", "src/cache.rs"),
        ];
        let is_in = |file, function| KnownLeak { file, function }.is_in(&traceback);
        assert!(is_in(None, None));
        assert!(is_in(text("src/lib.rs"), None));
        assert!(is_in(None, text("*::Cache::*")));
        assert!(is_in(text("src/cache.rs"), text("*::Cache::*")));
        assert!(!is_in(text("src/lib.rs"), text("*::Cache::*")));
    }
}
