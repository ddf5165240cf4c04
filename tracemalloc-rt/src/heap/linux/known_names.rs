//! The patterns of known holders, parsed once for all names.

use crate::heap::known_holder::KnownHolder;
use crate::util::fnmatch::Pattern;

/// Patterns for statics, and for the first functions of threads.
#[derive(Debug)]
pub struct KnownNames {
    /// Each with its holder's number.
    statics: Vec<(u32, Pattern)>,
    threads: Vec<KnownThread>,
}

/// A pattern for the first functions of threads.
#[derive(Debug)]
struct KnownThread {
    start: Pattern,
    only_with: Option<Pattern>,
}

impl KnownNames {
    /// Parses the patterns of these holders.
    pub fn new(holders: &[KnownHolder<'_>]) -> Self {
        let mut known = Self { statics: Vec::new(), threads: Vec::new() };
        for (number, holder) in (0..).zip(holders) {
            let pattern = Pattern::new(holder.pattern);
            if holder.is_thread {
                let only_with = holder.only_with.map(Pattern::new);
                known.threads.push(KnownThread { start: pattern, only_with });
            } else {
                known.statics.push((number, pattern));
            }
        }
        known
    }

    /// The number of the first known holder that a static of this name is.
    pub fn static_number(&self, name: &str) -> Option<u32> {
        let (number, _) = self.statics.iter().find(|(_, pattern)| pattern.matches(name))?;
        Some(*number)
    }

    /// Whether a thread with this first function is a known holder. `shares_pointer_with` says
    /// whether it shares a pointer with a static of this pattern.
    pub fn has_thread(&self, start: &str, shares_pointer_with: impl Fn(&Pattern) -> bool) -> bool {
        self.threads.iter().any(|thread| {
            thread.start.matches(start)
                && thread.only_with.as_ref().is_none_or(&shares_pointer_with)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_of_a_private_pool_are_not_those_of_the_global_pool() {
        let known = KnownNames::new(crate::heap::known_holder::KNOWN_HOLDERS);
        for start in [
            "<rayon_core::registry::DefaultSpawn as rayon_core::registry::ThreadSpawn>::spawn",
            "rayon_core::registry::ThreadBuilder::run",
        ] {
            let with = |name: &'static str| move |pattern: &Pattern| pattern.matches(name);
            assert!(known.has_thread(start, with("rayon_core::registry::THE_REGISTRY")));
            assert!(!known.has_thread(start, with("demo::POOL")));
        }
        let test = "tracemalloc_harness::child::TestThread::run";
        assert!(known.has_thread(test, |_| false), "it needs no static");
    }
}
