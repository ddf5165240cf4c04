//! Small numbers for stacks, and how many frames a stack can have.

/// The id of a stack: the number of its innermost context (`trace/contexts.rs`). It has 25 bits,
/// because a slot of the shadow map has no room for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StackId(pub(crate) u32);

impl StackId {
    /// The id of every block that is allocated while its thread is paused, whatever its stack. Such
    /// blocks are known, so that the harness's memory is not taken for the program's. They never
    /// count as live.
    pub(crate) const OURS: Self = Self(0);
}

/// One more than the largest id.
pub(crate) const MAX_STACKS: u32 = 1 << 25;
/// The most physical frames that are kept of a stack.
pub const MAX_DEPTH: usize = MAX_NFRAME as usize + FRAMES_OF_STD;
/// The most frames that a program can ask for.
pub const MAX_NFRAME: u32 = 65_535;
/// Between the allocator and the program's line lie up to 35 frames of the standard library. So at
/// least this many physical frames are captured beyond those that are shown.
pub const FRAMES_OF_STD: usize = 48;
