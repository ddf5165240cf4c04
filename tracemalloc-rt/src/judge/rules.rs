//! How growth is put together and judged.

use crate::judge::known_leak::KnownLeak;
use crate::judge::prefix::Prefix;
use crate::limits::Limits;
use crate::model::key_type::KeyType;

/// By what rules one test is judged.
#[derive(Debug, Clone)]
pub struct Rules {
    /// What growth may reach.
    pub limit: Limit,
    /// The most runs of a body; `None` is as many as its growth needs, within half a second.
    pub runs: Option<u32>,
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

impl Default for Rules {
    fn default() -> Self {
        Self {
            limit: Limit::default(),
            runs: None,
            frames: 16,
            include: Vec::new(),
            exclude: Vec::new(),
            key: KeyType::Traceback,
            known_leaks: Vec::new(),
            prefixes: Vec::new(),
        }
    }
}

impl Limits {
    /// These rules, with what the limits say in place of their own.
    #[doc(hidden)]
    pub fn over(&self, rules: Rules) -> Rules {
        let limit = match (self.max_growth, self.max_blocks) {
            (None, None) => rules.limit,
            (None, max_blocks) => Limit { max_growth: u64::MAX, max_blocks },
            (Some(max_growth), max_blocks) => Limit { max_growth, max_blocks },
        };
        let or = |own: &Vec<String>, theirs| if own.is_empty() { theirs } else { own.clone() };
        Rules {
            limit,
            runs: self.runs.or(rules.runs),
            frames: self.frames.unwrap_or(rules.frames),
            include: or(&self.include, rules.include),
            exclude: or(&self.exclude, rules.exclude),
            key: self.key.unwrap_or(rules.key),
            known_leaks: rules.known_leaks,
            prefixes: rules.prefixes,
        }
    }
}
