//! A live block, as the shadow knows it.

use crate::trace::stack_id::StackId;

/// A live block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    pub id: StackId,
    pub size: usize,
    /// Whether the program sees it in its own snapshots: it was allocated since the program
    /// started or cleared them.
    pub in_view: bool,
}
