//! Blocks of one stack that share a fate: lost, or held by one holder.

use crate::heap::holder::Holder;
use crate::trace::stack_id::StackId;

/// The fate of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Fate {
    /// No pointer leads to it, except from blocks that it leads to itself.
    Lost,
    /// Only a lost block leads to it.
    LostWith,
    /// A root leads to it.
    Held,
    /// C has freed it past the runtime: its chunk is free in the C library's heap.
    Freed,
}

/// One step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Step {
    /// The stack that allocated the block; `None` for an untraced block.
    pub stack: Option<StackId>,
    /// The offset in it of the pointer to the next step; `u32::MAX` if it is not known, and 0 for
    /// the last step.
    pub pointer: u32,
    /// On a cycle, for the block of an `Rc` or `Arc`: the number of strong handles to it. 0 if some
    /// pointer to it is not proven to be one.
    pub strong: u32,
    /// Its size in bytes.
    pub size: u64,
}

/// The result of a search for the blocks of some stacks.
#[derive(Debug, Clone)]
pub struct Found {
    /// The blocks, by stack and fate.
    pub entries: Vec<Retained>,
    /// Why blocks that are reported as lost may be held after all; `None` if the search saw all
    /// memory.
    pub doubt: Option<&'static str>,
    /// Why blocks that are reported as held may be lost; `None` if nothing unusual is known.
    pub note: Option<&'static str>,
}

/// Blocks of one stack that share a fate.
#[derive(Debug, Clone)]
pub struct Retained {
    /// The stack that allocated them.
    pub stack: StackId,
    /// Their fate.
    pub fate: Fate,
    /// Bytes.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
    /// Their holder, for [`Fate::Held`].
    pub holder: Option<Holder>,
    /// The offset of the pointer in the static or thread-local that holds them, if it has a name.
    pub pointer: Option<usize>,
    /// The stack of the lost block that leads to them, for [`Fate::LostWith`].
    pub head: Option<StackId>,
    /// The number of steps from the holder to one of these blocks. The last step is the block
    /// itself. For [`Fate::Lost`], the number of steps of the cycle that one of these blocks
    /// begins; 0 without a cycle.
    pub steps: u32,
    /// The first of these steps, and the last. Of a cycle, the last step points to the first.
    pub path: Vec<Step>,
}

impl Retained {
    /// All stacks that a report of it names.
    pub fn stacks(&self) -> impl Iterator<Item = StackId> {
        self.path.iter().filter_map(|step| step.stack).chain(self.head).chain([self.stack])
    }
}
