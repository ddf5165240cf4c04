//! A profile of memory: stacks with their bytes and blocks, of a snapshot or of a report.

use std::path::Path;

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use tracemalloc::{Domain, Frame, KeyType, Snapshot, Trace, Traceback};
use tracemalloc_harness::FrameEntry;

use crate::cli::{FilterArgs, Unit};
use crate::report::{Report, Site, report_file};
use crate::snapshot::filtered;
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
    /// Reads the blocks of a snapshot or a report that options choose.
    pub fn read(path: &Path, filter: &FilterArgs) -> Result<Self> {
        if FileKind::of(path) == Some(FileKind::Report) {
            let path = Utf8Path::from_path(path).context("the report's path is not UTF-8")?;
            return Ok(Self::of_report(&report_file::read(path)?, filter));
        }
        FileKind::expect(&[FileKind::Snapshot, FileKind::Report], path)?;
        Self::of_snapshot(&filtered(&Snapshot::load(path)?, filter))
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
    pub fn of_report(report: &Report, filter: &FilterArgs) -> Self {
        let sites = report.leaks.iter().flat_map(|leak| &leak.sites);
        let sites = sites.filter(|site| is_kept(site, filter));
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

/// Whether options choose the blocks of a site.
fn is_kept(site: &Site, filter: &FilterArgs) -> bool {
    let frames = site.traceback.iter().map(|frame| Frame::new(frame.file.as_str(), frame.line));
    let traceback = Traceback::new(frames.collect::<Vec<_>>(), None);
    let domain = u32::from(site.domain == Domain::C);
    let one = Snapshot::new(vec![Trace::new(domain, site.bytes, traceback)], 1);
    !filtered(&one, filter).traces().is_empty()
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
