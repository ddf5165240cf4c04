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

/// The place of the child's [`Stage`] in the header, behind the lengths.
pub const STAGE_PLACE: usize = 64;

/// The stage that a child has reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// The number of the run, from 1; 0 until the first one is over.
    pub run: u32,
    /// The number of runs that the test probably gets at most; `None` if nothing tells it yet.
    pub most: Option<u32>,
    /// Whether the run is over, and its growth is judged.
    pub is_judged: bool,
}

impl Stage {
    /// The stage as one word, which is written and read at once.
    pub fn word(self) -> u64 {
        let most = u64::from(self.most.unwrap_or(0)) & 0x7fff_ffff;
        u64::from(self.run) << 32 | most << 1 | u64::from(self.is_judged)
    }

    fn of_word(word: u64) -> Self {
        let most = (word & 0xffff_ffff) >> 1;
        let most = (most > 0).then_some(most as u32);
        Self { run: (word >> 32) as u32, most, is_judged: word & 1 != 0 }
    }
}

/// The stage in the slots beside the file of an entry.
pub fn stage(entry: &Path) -> Option<Stage> {
    use std::io::Read as _;

    let mut header = [0; STAGE_PLACE + 8];
    std::fs::File::open(path(entry)).and_then(|mut file| file.read_exact(&mut header)).ok()?;
    let word = header[STAGE_PLACE..].first_chunk().copied()?;
    Some(Stage::of_word(u64::from_le_bytes(word)))
}

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

#[cfg(test)]
mod tests {
    use super::Stage;

    #[test]
    fn a_stage_is_one_word() {
        for (run, most, is_judged) in
            [(0, None, false), (2, Some(8), false), (u32::MAX, Some(9), true)]
        {
            let stage = Stage { run, most, is_judged };
            assert_eq!(Stage::of_word(stage.word()), stage);
        }
    }
}
