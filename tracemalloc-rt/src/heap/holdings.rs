//! All live blocks, summed by holder.

use crate::heap::holder::Holder;
use crate::heap::retained::Retained;
use crate::trace::stack_id::StackId;

/// All live blocks, summed by holder.
#[derive(Debug, Clone)]
pub struct Holdings {
    /// The sums, the most bytes first.
    pub held: Vec<HolderSum>,
    /// Bytes of lost blocks.
    pub lost_bytes: u64,
    /// Lost blocks.
    pub lost_blocks: u64,
    /// Lost blocks by stack. If there are very many stacks, some are left out.
    pub lost: Vec<Retained>,
    /// Why blocks that are reported as lost may be held after all; `None` if the search saw all
    /// memory.
    pub doubt: Option<&'static str>,
}

/// The sum of one holder.
#[derive(Debug, Clone)]
pub struct HolderSum {
    /// The holder.
    pub holder: Holder,
    /// Bytes.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
    /// The blocks on the paths from the holder, each step behind its parent. If there are very many
    /// steps, their blocks count for their parents.
    pub steps: Vec<HeldStep>,
}

/// Blocks of one stack on a path from a holder.
#[derive(Debug, Clone, Copy)]
pub struct HeldStep {
    /// The step that leads to it; `None` if the holder does.
    pub parent: Option<usize>,
    /// The stack that allocated its blocks.
    pub stack: StackId,
    /// Bytes of its own blocks.
    pub bytes: u64,
    /// The number of its own blocks.
    pub blocks: u64,
}
