//! The memory of a running program, for `cargo tracemalloc top --pid`.
//!
//! Both processes meet in the session's directory, which only this user can enter. As long as a
//! command watches, it renews one file each second, and the program answers with the other. So
//! neither a signal nor an open file of the program is needed.

use std::time::Duration;

use tracemalloc::internal::{WireValue, wire};

use crate::protocol::wire::Exchanged;

/// The file that a command renews as long as it watches.
pub const WATCH_FILE: &str = "watch";
/// The file with the program's newest [`LiveMemory`].
pub const LIVE_FILE: &str = "live";
/// How often both sides look for the other's file.
pub const LIVE_INTERVAL: Duration = Duration::from_secs(1);
/// A command whose file is older than this does not watch any more.
pub const WATCH_EXPIRES: Duration = Duration::from_secs(10);

/// The memory of a program at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LiveMemory {
    /// The number of this moment, from 1.
    pub number: u64,
    /// Seconds since the program began to trace.
    pub seconds: f64,
    /// Bytes that are live.
    pub current: u64,
    /// The most bytes that were live at a time.
    pub peak: u64,
    /// The live memory by line, in no order.
    pub lines: Vec<LineEntry>,
    /// The live memory by holder, from the last search of the heap.
    pub held: Vec<HeldRowEntry>,
    /// The reason, if the heap was not searched, or not as a whole.
    pub held_note: Option<String>,
}

wire!(struct LiveMemory { number, seconds, current, peak, lines, held, held_note });

impl Exchanged for LiveMemory {
    const NAME: &'static str = "LiveMemory";
}

/// The live blocks that one line allocated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineEntry {
    /// The file; `None` if it is unknown.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: Option<u32>,
    /// Bytes.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
}

wire!(struct LineEntry { file, line, bytes, blocks });

/// A row of the tree of holders, as snapshot files have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRowEntry {
    /// The number of the row that leads to it.
    pub parent: Option<u32>,
    /// The name of its kind.
    pub kind: String,
    /// The name of a holder, or the type of blocks.
    pub name: Option<String>,
    /// The holder's thread.
    pub thread: Option<String>,
    /// The first function of that thread.
    pub start: Option<String>,
    /// The file that allocated blocks.
    pub file: Option<String>,
    /// The line in it.
    pub line: Option<u32>,
    /// Bytes of its own blocks.
    pub bytes: u64,
    /// The number of its own blocks.
    pub blocks: u64,
}

wire!(struct HeldRowEntry { parent, kind, name, thread, start, file, line, bytes, blocks });
