//! The reply of the copy: plain values, in memory that it shares with the process.

use crate::heap::retained::Fate;

/// The most entries of a reply.
pub const MOST_ENTRIES: usize = 8192;
/// The most steps of a path in a reply.
pub const MOST_STEPS: usize = 10;
/// The most branches of a reply.
pub const MOST_BRANCHES: usize = 1 << 16;

/// All of it.
#[repr(C)]
pub struct Reply {
    /// 1 when the rest is complete.
    pub done: u32,
    /// Bits of [`Hindrance`].
    pub hindrances: u32,
    /// Live blocks, traced or not.
    pub blocks: u64,
    /// The length of the used part of `entries`.
    pub entries_len: u32,
    /// The length of the used part of `branches`.
    pub branches_len: u32,
    /// Bytes of all lost blocks, if none were wanted.
    pub lost_bytes: u64,
    /// The number of all lost blocks, if none were wanted.
    pub lost_blocks: u64,
    /// The wanted blocks by stack and holder; if none were wanted, all lost blocks.
    pub entries: [Entry; MOST_ENTRIES],
    /// If none were wanted, all blocks that a root leads to: the tree of the holders.
    pub branches: [Branch; MOST_BRANCHES],
}

/// A reason why a block that looks lost may be held, or why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Hindrance {
    /// The registers of other threads are unknown.
    Registers = 1,
    /// The search took too long.
    Time = 2,
    /// The system has no memory for the search.
    Memory = 4,
    /// Some memory could not be read.
    Unreadable = 8,
    /// The reply has no room for all entries or roots.
    Entries = 16,
    /// A thread was stopped inside `malloc`, so the C library's heap was not walked.
    Malloc = 32,
    /// No thread cache of the C library was recognised, so freed memory counts as in use.
    Caches = 64,
}

/// Blocks of one stack that share a fate.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Entry {
    /// The stack that allocated them.
    pub stack: u32,
    /// Their fate.
    pub fate: Fate,
    /// Bytes.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
    /// The beginning of the path, for held blocks.
    pub root: Root,
    /// The stack of the lost block that leads to them, for [`Fate::LostWith`].
    pub head: u32,
    /// The length of the path. Its last step is the block itself. For [`Fate::Lost`], the length of
    /// the cycle that the block begins, or 0.
    pub steps_len: u32,
    /// The first steps and the last one, or all.
    pub steps: [Step; MOST_STEPS],
}

/// Memory where paths begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Root {
    /// Its kind.
    pub kind: RootKind,
    /// Its thread, or 0.
    pub thread: i32,
    /// The address of the pointer; 0 for a register.
    pub address: usize,
    /// For a static, its number in the request.
    pub number: u32,
}

/// Kinds of roots, in the order of the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum RootKind {
    /// A static, or another part of a module's data.
    Static,
    /// Thread-local storage.
    ThreadLocal,
    /// A living thread's stack.
    Stack,
    /// A living thread's register.
    Register,
    /// Any other memory.
    Foreign,
}

/// One step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Step {
    /// The stack that allocated the block; 0 for an untraced block.
    pub stack: u32,
    /// The offset of the pointer to the next step; [`NONE`](crate::heap::linux::blocks::NONE) if it
    /// is not known, and 0 for the last step.
    pub pointer: u32,
    /// On a cycle, see [`strong_counts`](crate::heap::linux::strong_counts).
    pub strong: u32,
    /// Its size in bytes.
    pub size: u64,
}

/// A branch of the tree of holders: a root, or blocks of one stack below another branch.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Branch {
    /// The number of the branch above it, which is smaller;
    /// [`NONE`](crate::heap::linux::blocks::NONE) for a root.
    pub parent: u32,
    /// The stack that allocated its blocks; 0 for a root.
    pub stack: u32,
    /// The root above it, or the root itself.
    pub root: Root,
    /// Bytes of its own traced blocks. For a root, of those that have no branch.
    pub bytes: u64,
    /// The number of these blocks.
    pub blocks: u64,
}
