//! What the failure of a leaking test says, where no command reports it.

use std::fmt::Write;

use crate::{GrowthEntry, GrowthKind, TestEntry, Verdict};

/// The growth that the verdict is about, then a line for each frame, the most recent first.
pub fn leak_text(entry: &TestEntry) -> String {
    let leaks = entry.verdict == Some(Verdict::Leak);
    let shown: Vec<&GrowthEntry> =
        entry.growth.iter().filter(|growth| !leaks || growth.kind == GrowthKind::Leak).collect();
    let bytes = shown.iter().map(|growth| growth.bytes).sum();
    let blocks = shown.iter().map(|growth| growth.blocks).sum();
    let (runs, limit) = (entry.runs.len(), size(entry.limit.max_growth));
    let grew = entry.runs.iter().filter(|run| run.bytes > 0).count();
    let what = if leaks { "leaked" } else { "grew by" };
    let mut text =
        format!("{what} {} a run ({grew} of {runs} runs), limit {limit}   id {}\n", amount(bytes, blocks), entry.id);
    if let Some(reason) = &entry.verdict_reason {
        text += &format!("{reason}\n");
    }
    for growth in shown {
        let type_name = growth.type_name.as_deref().unwrap_or_default();
        // Writing to a string does not fail.
        let _ = writeln!(text, "\n  {}   {type_name}", amount(growth.bytes, growth.blocks));
        for frame in growth.traceback.iter().rev() {
            let _ = writeln!(text, "    {} {}:{}:{}", frame.function, frame.file, frame.line, frame.column);
        }
    }
    text
}

/// `4.0 KiB in 1 block`.
fn amount(bytes: u64, blocks: u64) -> String {
    format!("{} in {blocks} block{}", size(bytes), if blocks == 1 { "" } else { "s" })
}

/// As Python's tracemalloc writes sizes.
fn size(bytes: u64) -> String {
    tracemalloc::format_size(bytes as f64, false)
}
