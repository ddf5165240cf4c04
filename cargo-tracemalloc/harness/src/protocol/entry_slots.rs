//! The file that a child maps into its memory before the body runs, to leave its entry in.
//!
//! A body may lower limits, change the user or the root directory, filter system calls or close all
//! files. A store into mapped memory works all the same. The file has a header with the
//! lengths of its [`Slot`]s, and the slots. So a child that dies in a repeated run, or while it
//! writes, leaves the earlier entry whole.

use std::path::{Path, PathBuf};

use crate::protocol::test_entry::TestEntry;
use crate::protocol::wire;

/// The number of bytes before the first slot.
pub const HEADER_SIZE: usize = 4096;
/// The number of bytes of a slot. The entry of nearly every test is smaller.
pub const SLOT_SIZE: usize = 64 << 10;
/// The number of slots.
pub const SLOTS: usize = 3;
/// The size of the file.
pub const FILE_SIZE: usize = HEADER_SIZE + SLOTS * SLOT_SIZE;

/// The extension of the file.
pub const EXTENSION: &str = "slots";

/// The path of the slots beside the file of an entry.
pub fn path(entry: &Path) -> PathBuf {
    entry.with_extension(EXTENSION)
}

/// The slots of a file, the later one last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The body has passed. Kept in case that the search of the heap ends the process.
    Passed,
    /// The first run is judged. Kept in case that a repeated run ends the process.
    First,
    /// The last entry.
    Last,
}

/// The latest whole entry in the slots beside the file of an entry, and its slot.
pub fn read(entry: &Path) -> Option<(TestEntry, Slot)> {
    let bytes = std::fs::read(path(entry)).ok()?;
    [Slot::Last, Slot::First, Slot::Passed].into_iter().find_map(|slot| {
        let length = bytes.get(slot as usize * 8..)?.first_chunk().copied()?;
        let start = HEADER_SIZE + slot as usize * SLOT_SIZE;
        let length = usize::try_from(u64::from_le_bytes(length)).ok()?;
        let entry = wire::from_bytes(bytes.get(start..)?.get(..length)?).ok()?;
        Some((entry, slot))
    })
}

/// Whether there is an entry in the slots beside the file of an entry.
pub fn is_written(entry: &Path) -> bool {
    use std::io::Read as _;

    let mut lengths = [0; SLOTS * 8];
    let read = std::fs::File::open(path(entry)).and_then(|mut file| file.read_exact(&mut lengths));
    read.is_ok() && lengths != [0; SLOTS * 8]
}

/// Removes the slots beside the file of an entry.
pub fn remove(entry: &Path) {
    // They are gone with the session's directory at the latest.
    let _ = std::fs::remove_file(path(entry));
}
