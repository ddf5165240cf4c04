//! A profile of memory: stacks with their bytes and blocks, of a snapshot or of a report.

use std::path::Path;

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use tracemalloc::{Frame, KeyType, Snapshot};
use tracemalloc_harness::FrameEntry;

use crate::cli::Unit;
use crate::report::{Report, report_file};
use crate::util::file_kind::FileKind;

/// A profile.
pub struct Profile {
    /// The meaning of its memory, for titles.
    pub title: &'static str,
    /// The stacks, the most bytes first.
    pub stacks: Vec<Stack>,
}

/// A stack and its memory.
#[derive(Debug, PartialEq, Eq)]
pub struct Stack {
    /// Its frames, oldest first.
    pub frames: Vec<StackFrame>,
    /// The bytes of its blocks.
    pub bytes: u64,
    /// The number of its blocks.
    pub blocks: u64,
}

/// A frame.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StackFrame {
    /// The demangled name. Empty if unknown.
    pub function: String,
    /// The file, as snapshot or report name it.
    pub file: String,
    /// From 1; 0 is unknown.
    pub line: u32,
}

impl Profile {
    /// Reads a snapshot or a report.
    pub fn read(path: &Path) -> Result<Self> {
        if FileKind::of(path) == Some(FileKind::Report) {
            let path = Utf8Path::from_path(path).context("the report's path is not UTF-8")?;
            return Ok(Self::of_report(&report_file::read(path)?));
        }
        FileKind::expect(&[FileKind::Snapshot, FileKind::Report], path)?;
        Self::of_snapshot(&Snapshot::load(path)?)
    }

    /// Statistics scale what a sampled snapshot has.
    fn of_snapshot(snapshot: &Snapshot) -> Result<Self> {
        let statistics = snapshot.statistics(KeyType::Traceback, false)?;
        let stacks = statistics.into_iter().map(|statistic| Stack {
            frames: statistic.traceback.iter().map(StackFrame::from).collect(),
            bytes: statistic.size,
            blocks: statistic.count,
        });
        Ok(Self { title: "Live memory", stacks: stacks.collect() })
    }

    /// The memory that leaks in one run of each test.
    pub fn of_report(report: &Report) -> Self {
        let sites = report.leaks.iter().flat_map(|leak| &leak.sites);
        let mut stacks: Vec<Stack> = sites
            .map(|site| Stack {
                frames: site.traceback.iter().map(StackFrame::from).collect(),
                bytes: site.bytes,
                blocks: site.blocks,
            })
            .collect();
        stacks.sort_by_key(|stack| std::cmp::Reverse(stack.bytes));
        Self { title: "Memory that leaks in one run", stacks }
    }

    /// The sum of a weight over all stacks.
    pub fn sum(&self, unit: Unit) -> u64 {
        self.stacks.iter().fold(0, |sum, stack| sum.saturating_add(stack.weight(unit)))
    }
}

impl Stack {
    /// Its weight in a unit.
    pub fn weight(&self, unit: Unit) -> u64 {
        match unit {
            Unit::Bytes => self.bytes,
            Unit::Blocks => self.blocks,
        }
    }
}

impl StackFrame {
    /// Its function and its place, for formats that have one text a frame.
    pub fn label(&self) -> String {
        let Self { file, line, .. } = self;
        if *line == 0 { self.name().to_owned() } else { format!("{} ({file}:{line})", self.name()) }
    }

    /// Its function, or its file if the function is unknown.
    pub fn name(&self) -> &str {
        if self.function.is_empty() { &self.file } else { &self.function }
    }
}

impl From<&Frame> for StackFrame {
    fn from(frame: &Frame) -> Self {
        let function = frame.function().unwrap_or_default().to_owned();
        Self { function, file: frame.filename().to_owned(), line: frame.lineno() }
    }
}

impl From<&FrameEntry> for StackFrame {
    fn from(frame: &FrameEntry) -> Self {
        Self { function: frame.function.clone(), file: frame.file.clone(), line: frame.line }
    }
}
