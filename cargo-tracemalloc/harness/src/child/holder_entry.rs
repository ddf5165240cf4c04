//! What holds growth, as the report shows it.

use tracemalloc::internal::heap;
use tracemalloc::internal::judge::Step;

use crate::protocol::test_entry::{HolderEntry, HolderKind, LOST_BLOCK, StepEntry};

/// What something else than a lost block is in the report.
pub fn holder_entry(holder: heap::Holder) -> HolderEntry {
    HolderEntry {
        kind: match holder.kind {
            heap::HolderKind::Static => HolderKind::Static,
            heap::HolderKind::Library => HolderKind::Library,
            heap::HolderKind::ThreadLocal => HolderKind::ThreadLocal,
            heap::HolderKind::Stack => HolderKind::Stack,
            heap::HolderKind::Register => HolderKind::Register,
            heap::HolderKind::Foreign => HolderKind::Foreign,
        },
        name: holder.name,
        file: None,
        line: None,
        thread: holder.thread,
        start: holder.start,
        known: holder.known,
    }
}

/// What a lost block is that leads to others.
pub fn lost_block(block: Step) -> HolderEntry {
    let (file, line) = block.place.unzip();
    HolderEntry {
        kind: HolderKind::LostBlock,
        name: block.type_name.unwrap_or_else(|| LOST_BLOCK.to_owned()),
        file,
        line,
        thread: None,
        start: None,
        known: false,
    }
}

/// One step of the way to growth.
pub fn step_entry(step: Step) -> StepEntry {
    let (file, line) = step.place.unzip();
    StepEntry { type_name: step.type_name, file, line, bytes: step.bytes }
}
