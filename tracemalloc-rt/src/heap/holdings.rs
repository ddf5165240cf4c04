//! All live blocks, summed by holder.

use crate::heap::holder::Holder;
use crate::heap::retained::Retained;

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
}
