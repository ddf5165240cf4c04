//! The file in which this process leaves its entry for the front or the command.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::child::entry_slots::EntrySlots;
use crate::protocol::entry_slots::{Slot, Stage};
use crate::protocol::fragment;
use crate::protocol::process_role::fail;
use crate::protocol::test_entry::TestEntry;
use crate::protocol::wire::to_bytes;

/// The file, prepared before the body runs.
#[derive(Debug, Clone)]
pub struct EntryFile {
    path: PathBuf,
    slots: Option<&'static EntrySlots>,
    /// A child that the body forks may return into the harness too. Its entry is of no interest.
    process: u32,
    /// Whether an entry did not fit into the slots.
    has_file: Arc<AtomicBool>,
}

impl EntryFile {
    /// Prepares the file.
    pub fn open(path: PathBuf) -> Self {
        let slots = EntrySlots::open(&path);
        Self { path, slots, process: std::process::id(), has_file: Arc::default() }
    }

    /// Writes an entry. Ends the process if that is impossible.
    pub fn write(&self, slot: Slot, entry: &TestEntry) {
        if self.process != std::process::id() {
            return;
        }
        if let Err(error) = self.try_write(slot, entry) {
            fail(&format!("cannot write {:?}: {error}", self.path));
        }
    }

    /// Writes an entry into mapped memory. Returns false if that is impossible.
    pub fn write_to_slots(&self, slot: Slot, entry: &TestEntry) -> bool {
        self.slots.is_some_and(|slots| slots.write(slot, &to_bytes(entry)))
    }

    /// Notes the stage that this process has reached, if the system had room for that.
    pub fn note(&self, stage: Stage) {
        if let Some(slots) = self.slots.filter(|_| self.process == std::process::id()) {
            slots.note(stage);
        }
    }

    /// Writes an entry.
    pub fn try_write(&self, slot: Slot, entry: &TestEntry) -> io::Result<()> {
        // The file is the later one, where there is one.
        if !self.has_file.load(Ordering::Relaxed) && self.write_to_slots(slot, entry) {
            return Ok(());
        }
        if slot == Slot::Passed {
            // Only the slots keep several entries.
            return Ok(());
        }
        self.has_file.store(true, Ordering::Relaxed);
        fragment::write(&self.path, entry)
    }
}
