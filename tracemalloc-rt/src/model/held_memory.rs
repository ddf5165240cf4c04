//! The memory that holders lead to, as a snapshot file has it: a tree of rows.

/// The live memory by holder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeldMemory {
    /// The rows. Each row stands behind its parent.
    pub rows: Vec<HeldRow>,
    /// The reason, if the heap was not searched, or not as a whole.
    pub note: Option<String>,
}

/// A holder, or blocks on the paths from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRow {
    /// The number of the row that leads to it; `None` for a holder.
    pub parent: Option<u32>,
    /// The holder, or the blocks.
    pub place: HeldPlace,
    /// Bytes of its own blocks, without those of the rows below.
    pub bytes: u64,
    /// The number of its own blocks.
    pub blocks: u64,
}

/// A holder, or the place that allocated blocks. Two snapshots of one program have equal ones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeldPlace {
    /// The kind of holder, or blocks.
    pub kind: HeldKind,
    /// The name of a static, library or thread-local, or the type of blocks.
    pub name: Option<String>,
    /// The holder's thread.
    pub thread: Option<String>,
    /// The first function of that thread.
    pub start: Option<String>,
    /// The file that allocated blocks.
    pub file: Option<String>,
    /// The line in it.
    pub line: Option<u32>,
}

impl HeldPlace {
    /// A place without names.
    pub fn new(kind: HeldKind) -> Self {
        Self { kind, name: None, thread: None, start: None, file: None, line: None }
    }
}

/// The kind of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HeldKind {
    /// No holder: nothing points to these blocks.
    Lost,
    /// A static of the program.
    Static,
    /// Data of a library.
    Library,
    /// A thread-local of a living thread.
    ThreadLocal,
    /// A living thread's stack.
    Stack,
    /// A living thread's register.
    Register,
    /// Memory that belongs to no allocator, module or thread.
    Foreign,
    /// Blocks that one line of code allocated.
    Blocks,
}

impl HeldKind {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Lost, "lost"),
        (Self::Static, "static"),
        (Self::Library, "library"),
        (Self::ThreadLocal, "thread_local"),
        (Self::Stack, "stack"),
        (Self::Register, "register"),
        (Self::Foreign, "foreign"),
        (Self::Blocks, "blocks"),
    ];

    /// Its name in files.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("foreign", |(_, name)| name)
    }

    /// The kind of this name.
    #[cfg(feature = "load")]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}
