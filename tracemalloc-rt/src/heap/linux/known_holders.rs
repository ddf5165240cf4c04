//! The names of known holders, as patterns that are read once for all names that are compared with
//! them.

use crate::heap::KnownHolder;
use crate::util::fnmatch::Pattern;

/// Patterns for statics, and for the functions that threads are started with.
pub struct KnownNames {
    statics: Vec<Pattern>,
    threads: Vec<Pattern>,
}

impl KnownNames {
    /// Of these holders.
    pub fn of(holders: &[KnownHolder<'_>]) -> Self {
        let patterns = |of_threads: bool| {
            let holders = holders.iter().filter(|holder| holder.is_thread == of_threads);
            holders.map(|holder| Pattern::new(holder.pattern)).collect()
        };
        Self { statics: patterns(false), threads: patterns(true) }
    }

    /// Whether a static of this name is one of them.
    pub fn has_static(&self, name: &str) -> bool {
        self.statics.iter().any(|pattern| pattern.matches(name))
    }

    /// Whether a thread is that was started with this function.
    pub fn has_thread(&self, start: &str) -> bool {
        self.threads.iter().any(|pattern| pattern.matches(start))
    }
}
