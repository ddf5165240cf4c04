//! CPython's tracemalloc on the same work: memory for each block, and statistics of a snapshot.

use std::process::Command;

use anyhow::Result;
use camino::Utf8Path;

use crate::build::{Binary, Builds, Profile};
use crate::child::{self, Run};
use crate::peer::{OURS, UNTRACED};
use crate::results::{Comparison, Group, Row};

const ROUNDS: usize = 3;
const FRAMES: [usize; 2] = [1, 16];
/// Ours, as a multiple of CPython's time.
const GOAL: f64 = 0.01;
const NAME: &str = "CPython";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../cpython.py");

/// Measures both in turn.
pub fn measure(builds: &mut Builds) -> Result<Vec<Row>> {
    let ours = builds.path(Binary::Snapshot, Profile::Release)?;
    let mut rows = Vec::new();
    for frames in FRAMES {
        let name = format!("{frames} frame{}", if frames == 1 { "" } else { "s" });
        eprintln!("bench: cpython, {name}");
        let mut pairs = Vec::new();
        for _ in 0..ROUNDS {
            let theirs = python("snapshot", frames)?;
            pairs.push((theirs.figure, snapshot(&ours, frames)?.figure));
        }
        let mut row = Row::new(Group::Snapshot, &name, OURS.name, NAME, Comparison::Ratio, &pairs)?;
        row.what = "snapshot of 1,000,000 live blocks, and statistics by line".to_owned();
        row.goal = Some(GOAL);
        rows.push(row);
    }
    let mut pairs = Vec::new();
    for _ in 0..ROUNDS {
        pairs.push((python("memory", 0)?.figure, python("memory", 16)?.figure));
    }
    let mut row =
        Row::new(Group::Memory, "memory", NAME, UNTRACED.name, Comparison::Difference, &pairs)?;
    row.what = "1,000,000 floats, live at once, 16 frames".to_owned();
    rows.push(row);
    Ok(rows)
}

fn python(what: &str, frames: usize) -> Result<Run> {
    child::run(Command::new("python3").args([SCRIPT, what, &frames.to_string()]))
}

fn snapshot(path: &Utf8Path, frames: usize) -> Result<Run> {
    child::run(Command::new(path).arg(frames.to_string()))
}
