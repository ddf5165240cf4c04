//! The memory that is live when a program ends, as the program reports it.

use tracemalloc::Domain;
use tracemalloc::internal::{WireValue, wire};

use crate::protocol::test_entry::{FrameEntry, HolderEntry};

/// The blocks that are live when a program ends.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct ExitHeap {
    /// The lost blocks: no pointer leads to them.
    pub lost: Lost,
    /// The held blocks, by holder; the most bytes first.
    pub held: Vec<HeldEntry>,
    /// Why blocks reported as lost may still be held; `None` if the search saw all memory.
    pub note: Option<String>,
}

wire!(struct ExitHeap { lost, held, note });

/// The lost blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct Lost {
    /// The sum of their sizes in bytes.
    pub bytes: u64,
    /// Their number.
    pub blocks: u64,
    /// The lost blocks by traceback, the most bytes first. At most some thousand tracebacks.
    pub groups: Vec<LostEntry>,
}

wire!(struct Lost { bytes, blocks, groups });

/// Lost blocks of one traceback.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct LostEntry {
    /// Bytes.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
    /// The language that allocated them: `rust` or `c`.
    pub domain: Domain,
    /// The type of the blocks, if the symbols name it.
    #[cfg_attr(feature = "json", serde(rename = "type"))]
    pub type_name: Option<String>,
    /// The lost block that leads to them; `None` if no block does.
    pub holder: Option<HolderEntry>,
    /// Frames, oldest first.
    pub traceback: Vec<FrameEntry>,
    /// The number of captured frames before the cut to the limit.
    pub total_nframe: u32,
}

wire!(struct LostEntry { bytes, blocks, domain, type_name, holder, traceback, total_nframe });

/// The blocks that one holder leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct HeldEntry {
    /// Bytes.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
    /// The holder.
    pub holder: HolderEntry,
}

wire!(struct HeldEntry { bytes, blocks, holder });
