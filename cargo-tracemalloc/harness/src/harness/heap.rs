//! Asks the heap what has become of growth: whether anything still points to it, and what.

use tracemalloc::raw::StackId;
use tracemalloc::raw::scan::{self, Found, KNOWN_HOLDERS, KnownHolder};

use crate::{HolderRule, Session};

/// How to ask.
#[derive(Debug, Clone)]
pub struct Heap {
    known: Vec<HolderRule>,
    stack_from: usize,
}

impl Heap {
    /// Asks as the session says. Below the address `stack_from`, the stack of this thread is the harness's own.
    pub fn new(session: &Session, stack_from: usize) -> Self {
        let built_in = || {
            let known = KNOWN_HOLDERS.iter().map(|known| HolderRule {
                is_thread: known.is_thread,
                pattern: known.pattern.to_owned(),
                reason: known.reason.to_owned(),
            });
            known.collect()
        };
        Self { known: session.known_holders.clone().unwrap_or_else(built_in), stack_from }
    }

    /// What has become of the live blocks of these stacks; the error says why that cannot be told.
    pub fn ask(&self, stacks: &[StackId]) -> Result<Found, &'static str> {
        let known: Vec<KnownHolder<'_>> = self.known.iter().map(|rule| rule.into()).collect();
        scan::look_up(stacks, &known, self.stack_from)
    }
}

impl<'a> From<&'a HolderRule> for KnownHolder<'a> {
    fn from(rule: &'a HolderRule) -> Self {
        Self { is_thread: rule.is_thread, pattern: &rule.pattern, reason: &rule.reason }
    }
}
