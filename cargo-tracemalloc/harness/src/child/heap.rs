//! The heap search with the session's known holders.

use std::time::Duration;

use tracemalloc::internal::heap::{KNOWN_HOLDERS, KnownHolder};
use tracemalloc::internal::judge::HeapSearch;
use tracemalloc::internal::test_holders;

use crate::protocol::session::{HolderRule, Session};

impl Session {
    /// Returns the heap search for this session. Below the address `stack_from`, this thread's
    /// stack belongs to the harness.
    pub(crate) fn heap(&self, stack_from: usize) -> HeapSearch<'_> {
        let known = match &self.known_holders {
            Some(rules) => rules.iter().map(KnownHolder::from).collect(),
            None => KNOWN_HOLDERS.to_vec(),
        };
        let heap = HeapSearch::new(known, stack_from);
        match self.timeout_seconds {
            // The rest of the time is the test's own.
            Some(timeout) => heap.within(Duration::from_secs_f64(timeout / 2.0)),
            None => heap,
        }
    }

    /// Announces the session's known holders to loops in this process, until its end.
    pub(crate) fn announce_known_holders(&self) {
        if let Some(rules) = &self.known_holders {
            let rules: &'static [HolderRule] = rules.clone().leak();
            let known: Vec<KnownHolder<'static>> = rules.iter().map(KnownHolder::from).collect();
            test_holders::announce(known.leak());
        }
    }
}

impl<'a> From<&'a HolderRule> for KnownHolder<'a> {
    fn from(rule: &'a HolderRule) -> Self {
        Self {
            is_thread: rule.is_thread,
            pattern: &rule.pattern,
            only_with: rule.only_with.as_deref(),
            allocated_by: rule.allocated_by.as_deref(),
            reason: &rule.reason,
        }
    }
}
