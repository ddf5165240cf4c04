//! The memory of a program at one moment: of a running one, or of a snapshot.

use std::path::Path;

use anyhow::Result;
use tracemalloc::internal::held_memory::{HeldKind, HeldMemory, HeldPlace, HeldRow};
use tracemalloc::{KeyType, Trace};
use tracemalloc_harness::{HeldRowEntry, LiveMemory};

use crate::snapshot::query::load;

/// The memory of a program at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Moment {
    /// Seconds since the program began to trace; `None` for a snapshot.
    pub seconds: Option<f64>,
    /// Bytes that are live.
    pub current: u64,
    /// The most bytes that were live at a time; `None` for a snapshot.
    pub peak: Option<u64>,
    /// The live memory by line of code.
    pub lines: Vec<Line>,
    /// The live memory by holder; `None` if a snapshot does not tell.
    pub held: Option<HeldMemory>,
}

/// The live blocks that one line allocated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `src/main.rs:22`.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// Blocks.
    pub count: u64,
}

impl Moment {
    /// The moment of a snapshot.
    pub fn of_snapshot(path: &Path) -> Result<Self> {
        let snapshot = load(path)?;
        let sizes = snapshot.traces().iter().map(Trace::size);
        let lines =
            snapshot.statistics(KeyType::Lineno, false)?.into_iter().map(|statistic| Line {
                name: statistic.traceback.to_string(),
                size: statistic.size,
                count: statistic.count,
            });
        Ok(Self {
            seconds: None,
            current: sizes.fold(0, u64::saturating_add),
            peak: None,
            lines: lines.collect(),
            held: snapshot.held_memory().cloned(),
        })
    }
}

impl From<LiveMemory> for Moment {
    fn from(live: LiveMemory) -> Self {
        let lines = live.lines.into_iter().map(|line| Line {
            name: match (line.file, line.line) {
                (Some(file), Some(number)) => format!("{file}:{number}"),
                (Some(file), None) => file,
                (None, _) => "<unknown>:0".to_owned(),
            },
            size: line.bytes,
            count: line.blocks,
        });
        Self {
            seconds: Some(live.seconds),
            current: live.current,
            peak: Some(live.peak),
            lines: lines.collect(),
            held: Some(HeldMemory {
                rows: live.held.into_iter().map(held_row).collect(),
                note: live.held_note,
            }),
        }
    }
}

fn held_row(entry: HeldRowEntry) -> HeldRow {
    let HeldRowEntry { parent, kind, name, thread, start, file, line, bytes, blocks } = entry;
    let kind = HeldKind::of(&kind).unwrap_or(HeldKind::Foreign);
    HeldRow { parent, place: HeldPlace { kind, name, thread, start, file, line }, bytes, blocks }
}
