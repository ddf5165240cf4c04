//! How growth is put together and judged.

use crate::model::key_type::KeyType;
use crate::names::symbolizer::Symbol;
use crate::util::fnmatch::fnmatchcase;

/// By what rules one test is judged.
#[derive(Debug, Clone)]
pub struct Rules {
    /// What growth may reach.
    pub limit: Limit,
    /// How often a body runs at most.
    pub runs: u32,
    /// Frames a traceback keeps, after those of the allocator and the standard library are left
    /// out.
    pub frames: u32,
    /// File name patterns (Python's `fnmatch`) of which one has to match the most recent frame;
    /// empty is all.
    pub include: Vec<String>,
    /// File name patterns of which none may match the most recent frame.
    pub exclude: Vec<String>,
    /// What blocks have in common that are one growth.
    pub key: KeyType,
    /// Leaks that are no failure.
    pub known_leaks: Vec<KnownLeak>,
    /// How absolute file names become short ones, longest prefix first.
    pub prefixes: Vec<Prefix>,
}

/// What growth may reach before it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limit {
    /// Bytes a run.
    pub max_growth: u64,
    /// Blocks a run; `None` is without limit.
    pub max_blocks: Option<u64>,
}

/// Growth that is no failure, by patterns for one frame; `None` is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownLeak {
    /// Of the frame's file, as it is shown.
    pub file: Option<String>,
    /// Of its function.
    pub function: Option<String>,
}

impl KnownLeak {
    /// Whether one of the frames is what this is about.
    pub fn is_in(&self, traceback: &[Symbol]) -> bool {
        let matches = |pattern: &Option<String>, name: &str| {
            pattern.as_ref().is_none_or(|pattern| fnmatchcase(name, pattern))
        };
        traceback.iter().any(|frame| {
            matches(&self.file, &frame.file) && matches(&self.function, &frame.function)
        })
    }
}

/// One rule of how file names are shortened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    /// An absolute directory, without a slash at the end.
    pub prefix: String,
    /// What stands for it: empty for the workspace's root, `serde_json-1.0.154` for a dependency.
    pub replacement: String,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            limit: Limit::default(),
            runs: 8,
            frames: 16,
            include: Vec::new(),
            exclude: Vec::new(),
            key: KeyType::Traceback,
            known_leaks: Vec::new(),
            prefixes: Vec::new(),
        }
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
