//! The heap search of one test, with its known holders and its budget of time.

use core::cell::Cell;
use core::time::Duration;
use std::time::Instant;

use crate::heap;
use crate::heap::{Found, KnownHolder};
use crate::trace::stack_id::StackId;

/// The longest that all searches of one test may take together.
const PATIENCE: Duration = Duration::from_secs(20);

/// The heap search of one test.
#[derive(Debug, Clone)]
pub struct Heap<'a> {
    known: Vec<KnownHolder<'a>>,
    stack_from: usize,
    /// The rest of the budget.
    left: Cell<Duration>,
}

impl<'a> Heap<'a> {
    /// Searches with these known holders. Below the address `stack_from`, the stack of this thread
    /// belongs to the judge.
    pub fn new(known: Vec<KnownHolder<'a>>, stack_from: usize) -> Self {
        Self { known, stack_from, left: Cell::new(PATIENCE) }
    }

    /// Searches for at most this time, for all runs together.
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        Self { left: Cell::new(self.left.get().min(time)), ..self }
    }

    /// Looks up the fate of the live blocks of these stacks; the error says why there is no result.
    pub fn ask(&self, stacks: &[StackId]) -> Result<Found, &'static str> {
        let started = Instant::now();
        let found = heap::look_up(stacks, &self.known, self.stack_from, self.left.get());
        self.left.set(self.left.get().saturating_sub(started.elapsed()));
        found
    }
}
