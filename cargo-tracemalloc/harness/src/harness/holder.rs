//! What holds growth, as the report shows it.

use tracemalloc::raw::judge::Step;
use tracemalloc::raw::scan;

use crate::{HolderEntry, HolderKind, LOST_BLOCK, StepEntry};

/// What something else than a lost block is in the report.
pub fn holder_entry(holder: scan::Holder) -> HolderEntry {
    HolderEntry {
        kind: match holder.kind {
            scan::HolderKind::Static => HolderKind::Static,
            scan::HolderKind::Library => HolderKind::Library,
            scan::HolderKind::ThreadLocal => HolderKind::ThreadLocal,
            scan::HolderKind::Stack => HolderKind::Stack,
            scan::HolderKind::Register => HolderKind::Register,
            scan::HolderKind::Foreign => HolderKind::Foreign,
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
