//! A live block: its stack and its size.

use crate::trace::stack_id::StackId;

/// A live block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    pub id: StackId,
    pub size: usize,
    /// Whether it is in the program's view: it was allocated since the program started or cleared
    /// its tracing.
    pub in_view: bool,
}
