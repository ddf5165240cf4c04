//! What the failure of a leaking test says, where no command reports it.

use std::fmt::Write;

use crate::{GrowthEntry, GrowthKind, TestEntry};

/// The leak, then a line for each frame, the most recent first.
pub fn leak_text(entry: &TestEntry) -> String {
    let leaks: Vec<&GrowthEntry> = entry.growth.iter().filter(|growth| growth.kind == GrowthKind::Leak).collect();
    let bytes: u64 = leaks.iter().map(|growth| growth.bytes).sum();
    let blocks: u64 = leaks.iter().map(|growth| growth.blocks).sum();
    let runs = entry.runs.len();
    let mut text = format!(
        "leaked {bytes} B in {blocks} block{} a run ({runs} of {runs} runs), limit {} B   id {}\n",
        if blocks == 1 { "" } else { "s" },
        entry.limit.max_growth,
        entry.id
    );
    for growth in leaks {
        let type_name = growth.type_name.as_deref().unwrap_or_default();
        // Writing to a string does not fail.
        let _ = writeln!(text, "\n  {} B in {} block(s)   {type_name}", growth.bytes, growth.blocks);
        for frame in growth.traceback.iter().rev() {
            let _ = writeln!(text, "    {} {}:{}:{}", frame.function, frame.file, frame.line, frame.column);
        }
    }
    text
}
