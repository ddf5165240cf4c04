//! JSON for speedscope, by its file format: two profiles over one table of frames.

use std::collections::HashMap;

use anyhow::Result;
use serde_json::{Value, json};

use crate::cli::Unit;
use crate::profile::{Profile, StackFrame};

/// Renders a profile.
pub fn render(profile: &Profile) -> Result<Vec<u8>> {
    let mut table = Frames::default();
    let samples: Vec<Vec<usize>> = profile
        .stacks
        .iter()
        .map(|stack| stack.frames.iter().map(|frame| table.index(frame)).collect())
        .collect();
    let weighted = |name: &str, unit_name: &str, unit: Unit| -> Value {
        let weights: Vec<u64> = profile.stacks.iter().map(|stack| stack.weight(unit)).collect();
        json!({
            "type": "sampled",
            "name": format!("{}: {name}", profile.title),
            "unit": unit_name,
            "startValue": 0,
            "endValue": profile.sum(unit),
            "samples": samples,
            "weights": weights,
        })
    };
    Ok(serde_json::to_vec(&json!({
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "exporter": format!("cargo-tracemalloc {}", env!("CARGO_PKG_VERSION")),
        "name": profile.title,
        "activeProfileIndex": 0,
        "shared": { "frames": table.rows },
        "profiles": [weighted("bytes", "bytes", Unit::Bytes), weighted("blocks", "none", Unit::Blocks)],
    }))?)
}

/// The frames, each once.
#[derive(Default)]
struct Frames<'a> {
    rows: Vec<Value>,
    indexes: HashMap<&'a StackFrame, usize>,
}

impl<'a> Frames<'a> {
    fn index(&mut self, frame: &'a StackFrame) -> usize {
        *self.indexes.entry(frame).or_insert_with(|| {
            let mut row = json!({ "name": frame.name(), "file": frame.file });
            if frame.line != 0 {
                row["line"] = frame.line.into();
            }
            self.rows.push(row);
            self.rows.len() - 1
        })
    }
}
