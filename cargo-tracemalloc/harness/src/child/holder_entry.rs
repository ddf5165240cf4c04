//! Converts a holder into the report's entry.

use tracemalloc::internal::heap;
use tracemalloc::internal::judge::Step;

use crate::protocol::test_entry::{HolderEntry, HolderKind, LOST_BLOCK, StepEntry};

/// The entry of a holder that is not a lost block. The search of the heap has no such kind, so the
/// report's kinds are a type of their own.
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
        pointer: None,
        field: None,
    }
}

/// The entry of a lost block that leads to others.
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
        pointer: None,
        field: None,
    }
}

/// The entry of one step of the path to a block.
pub fn step_entry(step: Step) -> StepEntry {
    let (file, line) = step.place.unzip();
    let Step { type_name, function, bytes, pointer, strong, .. } = step;
    StepEntry { type_name, file, line, function, bytes, pointer, strong, field: None }
}
