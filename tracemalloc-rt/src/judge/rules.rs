//! How growth is put together and judged.

use crate::KeyType;

/// By what rules one test is judged.
#[derive(Debug, Clone)]
pub struct Rules {
    /// What growth may reach.
    pub limit: Limit,
    /// How often a body runs at most.
    pub runs: u32,
    /// Frames a traceback keeps, after those of the allocator and the standard library are left out.
    pub frames: u32,
    /// File name patterns (Python's `fnmatch`) of which one has to match the most recent frame; empty is all.
    pub include: Vec<String>,
    /// File name patterns of which none may match the most recent frame.
    pub exclude: Vec<String>,
    /// What blocks have in common that are one growth.
    pub key: KeyType,
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
            prefixes: Vec::new(),
        }
    }
}
