//! The patterns of known holders, parsed once for all names.

use crate::heap::known_holder::KnownHolder;
use crate::util::fnmatch::Pattern;

/// Patterns for statics, and for the first functions of threads.
#[derive(Debug)]
pub struct KnownNames {
    statics: Vec<Pattern>,
    threads: Vec<Pattern>,
}

impl KnownNames {
    /// Parses the patterns of these holders.
    pub fn new(holders: &[KnownHolder<'_>]) -> Self {
        let patterns = |of_threads: bool| {
            let holders = holders.iter().filter(|holder| holder.is_thread == of_threads);
            holders.map(|holder| Pattern::new(holder.pattern)).collect()
        };
        Self { statics: patterns(false), threads: patterns(true) }
    }

    /// Whether a static of this name is a known holder.
    pub fn has_static(&self, name: &str) -> bool {
        self.statics.iter().any(|pattern| pattern.matches(name))
    }

    /// Whether a thread with this first function is a known holder.
    pub fn has_thread(&self, start: &str) -> bool {
        self.threads.iter().any(|pattern| pattern.matches(start))
    }
}
