//! Folded stacks, the format of Brendan Gregg's flame graphs: `main;fill 4096`, oldest frame first.

use crate::cli::Unit;
use crate::profile::{Profile, Stack};

/// A line for each stack with its bytes.
pub fn render(profile: &Profile) -> String {
    profile.stacks.iter().map(|stack| line(stack, &[stack.weight(Unit::Bytes)]) + "\n").collect()
}

/// The frames and the weights of a stack.
pub fn line(stack: &Stack, weights: &[u64]) -> String {
    let frames: Vec<String> = stack.frames.iter().map(|frame| folded(&frame.label())).collect();
    let frames = if frames.is_empty() { "<unknown>".to_owned() } else { frames.join(";") };
    weights.iter().fold(frames, |line, weight| format!("{line} {weight}"))
}

/// A semicolon ends a frame, as in `[u8; 4]`, and control characters end a line.
fn folded(label: &str) -> String {
    label.replace("; ", " x ").replace(|char: char| char == ';' || char.is_control(), "_")
}
