//! What the copy tells the process: plain values, in memory that they share.

use crate::heap::Fate;

/// How many kinds of growth are told of; what is beyond is only counted.
pub const MOST_ENTRIES: usize = 8192;
/// Steps of a path that are told.
pub const MOST_STEPS: usize = 10;
/// Roots whose sums are told.
pub const MOST_SUMS: usize = 1 << 16;

/// All of it.
#[repr(C)]
pub struct Answer {
    /// 1 once the rest is there.
    pub done: u32,
    /// What was in the way: bits of [`Hindrance`].
    pub hindrances: u32,
    /// Live blocks, traced or not.
    pub blocks: u64,
    /// How many of `entries` hold something.
    pub entries_len: u32,
    /// How many of `sums` hold something.
    pub sums_len: u32,
    /// Growth, by what allocated it and what holds it; or what of all that is live is lost.
    pub entries: [Entry; MOST_ENTRIES],
    /// All that is live, by root.
    pub sums: [Sum; MOST_SUMS],
}

/// Why a block that nothing was found to point to may be held all the same, and why there may be no
/// answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Hindrance {
    /// The registers of other threads are not known.
    Registers = 1,
    /// The scan took too long.
    Time = 2,
    /// The system has no memory for the scan.
    Memory = 4,
    /// Memory that was to be looked at could not be read.
    Unreadable = 8,
    /// There is more growth of different kinds than can be told.
    Entries = 16,
    /// A thread was stopped inside `malloc`, so its heap was not walked.
    Malloc = 32,
}

/// Blocks of one stack with one fate.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Entry {
    /// The stack that allocated them.
    pub stack: u32,
    /// What has become of them.
    pub fate: Fate,
    /// Bytes.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
    /// Where the path begins, for what is held.
    pub root: Root,
    /// For what a lost block holds: the stack of that one.
    pub head: u32,
    /// How many steps the path has, the block itself being the last.
    pub steps_len: u32,
    /// The first steps and the last one, or all.
    pub steps: [Step; MOST_STEPS],
}

/// Where pointers are looked for first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Root {
    /// What it is.
    pub kind: RootKind,
    /// Its thread, where it belongs to one; else 0.
    pub thread: i32,
    /// The address that the pointer was found at; 0 for a register.
    pub address: usize,
    /// Its number among the statics, for a static.
    pub number: u32,
}

/// Kinds of roots, in the order in which they are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum RootKind {
    /// A static, or another part of a library's data.
    Static,
    /// Thread-local storage.
    ThreadLocal,
    /// A living thread's stack.
    Stack,
    /// A living thread's register.
    Register,
    /// Any other memory that can be written.
    Foreign,
    /// None.
    Nothing,
}

/// One step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Step {
    /// The stack that allocated the block; 0 for one that was not traced.
    pub stack: u32,
    /// Its size in bytes.
    pub size: u64,
}

/// What one root leads to.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Sum {
    /// The root.
    pub root: Root,
    /// Bytes of traced blocks.
    pub bytes: u64,
    /// Traced blocks.
    pub blocks: u64,
}
