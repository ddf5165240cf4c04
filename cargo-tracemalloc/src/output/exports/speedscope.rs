//! JSON for speedscope, by its file format: two profiles over one table of frames.

use anyhow::Result;
use indexmap::IndexSet;
use serde_json::{Value, json};

use crate::cli::Unit;
use crate::profile::{Profile, StackFrame};

/// Renders a profile.
pub fn render(profile: &Profile) -> Result<Vec<u8>> {
    let mut frames = IndexSet::new();
    let samples: Vec<Vec<usize>> = profile
        .stacks
        .iter()
        .map(|stack| stack.frames.iter().map(|frame| frames.insert_full(frame).0).collect())
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
        "shared": { "frames": frames.into_iter().map(row).collect::<Vec<Value>>() },
        "profiles": [weighted("bytes", "bytes", Unit::Bytes), weighted("blocks", "none", Unit::Blocks)],
    }))?)
}

fn row(frame: &StackFrame) -> Value {
    let mut row = json!({ "name": frame.name(), "file": frame.file });
    if frame.line != 0 {
        row["line"] = frame.line.into();
    }
    row
}
