//! The files that a test's process leaves, a fragment and slots: each is read, or found damaged. A
//! test may have written anything there.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use tracemalloc_harness::{TestEntry, entry_slots, fragment};

use crate::message::message;
use crate::scratch;

static DIRECTORY: LazyLock<PathBuf> = LazyLock::new(scratch::directory);

/// The first byte's lowest bit says whether the content becomes a message, the next ones the slot,
/// if the file has slots.
pub fn check(bytes: &[u8]) {
    let Some((choice, content)) = bytes.split_first() else { return };
    let path = fragment::entry_path(&DIRECTORY, 1);
    let content = if choice & 1 == 0 { message::<TestEntry>(content) } else { content.to_vec() };
    let slot = usize::from(choice >> 1) % (entry_slots::SLOTS + 1);
    if slot == entry_slots::SLOTS {
        fs::write(&path, content).expect("a file is written");
    } else {
        let mut slots = vec![0; entry_slots::HEADER_SIZE + slot * entry_slots::SLOT_SIZE];
        let length = (content.len() as u64).to_le_bytes();
        slots[slot * length.len()..][..length.len()].copy_from_slice(&length);
        slots.extend(content);
        fs::write(entry_slots::path(&path), slots).expect("a file is written");
    }
    let _read = (fragment::read(&path), fragment::is_written(&path));
    fragment::remove(&path).expect("the file is removed");
}

/// Messages and damaged files, in each slot and as a file.
pub fn seeds() -> Vec<Vec<u8>> {
    (0..8).map(|choice| [&[choice], [0; 256].as_slice()].concat()).collect()
}
