//! Whether something still points to a block, and what.
//!
//! The process is copied as `fork` does it, while its other threads stand still, and the copy looks
//! for pointers ([`search`]). So nothing is changed, locked or waited for where the program runs;
//! memory that vanishes meanwhile is still there in the copy; and if the copy crashes or takes too
//! long, the worst that happens is that there is no answer.
//!
//! The answer errs on one side only. Any word that could be a pointer counts as one, so what is
//! said to be held may be lost; what is said to be lost, nothing that was looked at leads to, and
//! what could not be looked at is said.

mod holder;
#[cfg_attr(
    not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))),
    path = "unsupported.rs"
)]
mod linux;
#[cfg(all(feature = "symbolize", target_os = "linux"))]
mod symbols;

pub use holder::{Holder, HolderKind, KNOWN_HOLDERS, KnownHolder};
pub use linux::{holdings, look_up};
#[cfg(all(feature = "symbolize", target_os = "linux"))]
pub use symbols::read as statics_of_file;

use crate::trace::stack_id::StackId;

/// What has become of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Fate {
    /// Nothing points to it, but what it leads to itself.
    Lost,
    /// Only a lost block leads to it.
    LostWith,
    /// A root leads to it.
    Held,
}

/// One step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Step {
    /// The stack that allocated the block; `None` for one that was not traced.
    pub stack: Option<StackId>,
    /// Its size in bytes.
    pub size: u64,
}

/// What has become of the blocks of some stacks.
#[derive(Debug, Clone)]
pub struct Found {
    /// By stack and fate.
    pub entries: Vec<Retained>,
    /// Why what is said to be lost may be held all the same; `None` where nothing was in the way.
    pub doubt: Option<&'static str>,
}

/// Blocks of one stack with one fate.
#[derive(Debug, Clone)]
pub struct Retained {
    /// The stack that allocated them.
    pub stack: StackId,
    /// What has become of them.
    pub fate: Fate,
    /// Bytes.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
    /// What holds them, for [`Fate::Held`].
    pub holder: Option<Holder>,
    /// The stack of the lost block that leads to them, for [`Fate::LostWith`].
    pub head: Option<StackId>,
    /// How many steps lead from the holder to one of these blocks, the last step being the block
    /// itself.
    pub steps: u32,
    /// The first of them, and the last.
    pub path: Vec<Step>,
}

impl Retained {
    /// All stacks that are needed to tell of it.
    pub fn stacks(&self) -> impl Iterator<Item = StackId> {
        self.path.iter().filter_map(|step| step.stack).chain(self.head).chain([self.stack])
    }
}

/// What all live blocks are held by.
#[derive(Debug, Clone)]
pub struct Holdings {
    /// By holder, the most bytes first.
    pub held: Vec<HolderSum>,
    /// Bytes of what nothing holds.
    pub lost_bytes: u64,
    /// Blocks of what nothing holds.
    pub lost_blocks: u64,
    /// What nothing holds, by stack. Of very many stacks, some are left out.
    pub lost: Vec<Retained>,
    /// Why what is said to be lost may be held all the same; `None` where nothing was in the way.
    pub doubt: Option<&'static str>,
}

/// What one holder holds.
#[derive(Debug, Clone)]
pub struct HolderSum {
    /// What holds it.
    pub holder: Holder,
    /// Bytes.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
}
