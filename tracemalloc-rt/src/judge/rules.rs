//! The rules by which growth is grouped and judged.

use crate::judge::known_leak::KnownLeak;
use crate::judge::prefix::Prefix;
use crate::limits::Limits;

/// The rules for one test.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Limits and filters.
    pub limits: Limits,
    /// Leaks that are no failure.
    pub known_leaks: Vec<KnownLeak>,
    /// The rules that make absolute file names short, longest prefix first.
    pub prefixes: Vec<Prefix>,
}

impl Rules {
    /// These rules, with a check's own limits over theirs.
    pub fn with_check(self, check: Limits) -> Self {
        Self { limits: check.as_check().over(self.limits), ..self }
    }
}
