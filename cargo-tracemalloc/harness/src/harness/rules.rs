//! By what rules a test is judged: the command's options, and those of the test's own `#[tracemalloc::check]` over them.

use tracemalloc::raw::judge::{KnownLeak, Limit, Prefix, Rules};
use tracemalloc::{KeyType, Limits};

use crate::{CheckEntry, Session};

impl Session {
    /// The rules for a test that says nothing of its own.
    pub(crate) fn rules(&self) -> Rules {
        let options = &self.options;
        let prefix =
            |rule: &crate::PathPrefix| Prefix { prefix: rule.prefix.clone(), replacement: rule.replacement.clone() };
        Rules {
            limit: Limit { max_growth: options.limit.max_growth, max_blocks: options.limit.max_blocks },
            runs: options.runs,
            frames: options.frames,
            include: options.include.clone(),
            exclude: options.exclude.clone(),
            key: KeyType::Traceback,
            known_leaks: self
                .known_leaks
                .iter()
                .map(|known| KnownLeak { file: known.file.clone(), function: known.function.clone() })
                .collect(),
            prefixes: self.path_prefixes.iter().map(prefix).collect(),
        }
    }
}

/// What the report says of a test's own options.
pub fn check_entry(limits: Limits) -> CheckEntry {
    let Limits { max_growth, max_blocks, max_peak, include, exclude, frames, runs, key, skip } = limits;
    let key = key.map(|key| key.to_string());
    CheckEntry { max_growth, max_blocks, max_peak, include, exclude, frames, runs, key, skip }
}
