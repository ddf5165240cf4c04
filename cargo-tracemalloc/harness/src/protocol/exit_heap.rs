//! The memory that is live when a program ends, as the program reports it.

use nanoserde::{DeBin, SerBin};

use crate::protocol::test_entry::{FrameEntry, HolderEntry};

/// What is live at a program's end.
#[derive(Debug, Clone, PartialEq, Eq, SerBin, DeBin)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct ExitHeap {
    /// What nothing points to.
    pub lost: Lost,
    /// The rest by holder, the most bytes first.
    pub held: Vec<HeldEntry>,
    /// Why what is said to be lost may be held all the same; `None` where nothing was in the way.
    pub note: Option<String>,
}

/// What nothing points to.
#[derive(Debug, Clone, PartialEq, Eq, SerBin, DeBin)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct Lost {
    /// All of it, in bytes.
    pub bytes: u64,
    /// All of it, in blocks.
    pub blocks: u64,
    /// By where it was allocated, the most bytes first. Of more than some thousand places, some
    /// are left out.
    pub groups: Vec<LostEntry>,
}

/// Lost blocks of one traceback.
#[derive(Debug, Clone, PartialEq, Eq, SerBin, DeBin)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct LostEntry {
    /// Bytes.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
    /// What was allocated, where the symbols tell.
    #[cfg_attr(feature = "json", serde(rename = "type"))]
    pub type_name: Option<String>,
    /// The lost block that leads to them; `None` where none does.
    pub holder: Option<HolderEntry>,
    /// Frames, oldest first.
    pub traceback: Vec<FrameEntry>,
    /// How many frames there were before the cut, as far as they were captured.
    pub total_nframe: u32,
}

/// What one holder leads to.
#[derive(Debug, Clone, PartialEq, Eq, SerBin, DeBin)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize))]
pub struct HeldEntry {
    /// Bytes.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
    /// What holds them.
    pub holder: HolderEntry,
}
