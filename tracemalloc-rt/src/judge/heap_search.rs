//! Asks the heap what has become of growth: whether anything still points to it, and what.

use crate::heap;
use crate::heap::{Found, KnownHolder};
use crate::trace::stack_id::StackId;

/// How to ask.
#[derive(Debug, Clone)]
pub struct Heap<'a> {
    known: Vec<KnownHolder<'a>>,
    stack_from: usize,
}

impl<'a> Heap<'a> {
    /// Asks with these known holders. Below the address `stack_from`, the stack of this thread is
    /// that of who judges.
    pub fn new(known: Vec<KnownHolder<'a>>, stack_from: usize) -> Self {
        Self { known, stack_from }
    }

    /// What has become of the live blocks of these stacks; the error says why that cannot be told.
    pub fn ask(&self, stacks: &[StackId]) -> Result<Found, &'static str> {
        heap::look_up(stacks, &self.known, self.stack_from)
    }
}
