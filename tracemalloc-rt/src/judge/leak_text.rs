//! The message of a leaking test that no command reports.

use std::fmt::Write;

use crate::judge::grown::Grown;
use crate::judge::traceback::Traceback;
use crate::limits::Limit;
use crate::model::domain::Domain;
use crate::model::format_size::format_size;

/// The leak of one traceback.
#[derive(Debug)]
pub struct Leak<'a> {
    /// Bytes a run.
    pub bytes: u64,
    /// Blocks a run.
    pub blocks: u64,
    /// The language that allocated it.
    pub domain: Domain,
    /// The answer of the heap in one line, if it was searched.
    pub retained: Option<String>,
    /// The type that was allocated, if it is known.
    pub type_name: Option<&'a str>,
    /// Function, file, line and column of each frame, oldest first.
    pub traceback: Vec<(&'a str, &'a str, u32, u32)>,
}

/// The content of the first line.
#[derive(Debug)]
pub struct Headline<'a> {
    /// `leaked`, or another verb.
    pub what: &'a str,
    /// `run`, or another name of a run.
    pub unit: &'a str,
    /// The number of runs that grew.
    pub grew: usize,
    /// The number of all runs.
    pub runs: usize,
    /// The growth that was allowed.
    pub limit: Limit,
    /// The reason, if one is needed.
    pub reason: Option<&'a str>,
}

/// The growth a run, then each leak with a line for each frame, the most recent first.
pub fn leak_text(headline: &Headline, leaks: &[Leak]) -> String {
    let bytes = leaks.iter().map(|leak| leak.bytes).sum();
    let blocks = leaks.iter().map(|leak| leak.blocks).sum();
    let mut text = headline.text(bytes, blocks);
    for leak in leaks {
        text += "\n\n";
        text += &leak.paragraph("block");
    }
    text
}

impl Headline<'_> {
    /// `leaked 8 B in 1 block a run (3 of 3 runs), limit 0 B`, and the reason below it.
    pub fn text(&self, bytes: u64, blocks: u64) -> String {
        let Headline { what, unit, grew, runs, limit, reason } = self;
        let amount = format!("{} in {}", size(bytes), many(blocks, "block"));
        let runs = many(*runs as u64, unit);
        let limit = of(limit);
        let text = format!("{what} {amount} a {unit} ({grew} of {runs}), limit {limit}");
        reason.map_or(text.clone(), |reason| format!("{text}\n{reason}"))
    }
}

impl<'a> Leak<'a> {
    /// This amount at this place.
    pub fn new(amount: Grown, place: &'a Traceback) -> Self {
        let frames = place.traceback.iter();
        Self {
            bytes: amount.bytes,
            blocks: amount.blocks,
            domain: place.domain,
            retained: None,
            type_name: place.type_name.as_deref(),
            traceback: frames
                .map(|frame| {
                    (frame.function.as_str(), frame.file.as_str(), frame.line, frame.column)
                })
                .collect(),
        }
    }

    /// The amount in so many of a unit, then a line for each frame, the most recent first.
    pub fn paragraph(&self, unit: &str) -> String {
        let type_name = self.type_name.map(|name| format!("   {name}")).unwrap_or_default();
        let by = if self.domain == Domain::C { ", allocated by C" } else { "" };
        let amount = format!("{} in {}", size(self.bytes), many(self.blocks, unit));
        let mut text = format!("  {amount}{by}{type_name}");
        if let Some(retained) = &self.retained {
            let _ = write!(text, "\n    {retained}");
        }
        for (function, file, line, column) in self.traceback.iter().rev() {
            let function = if function.is_empty() { "<unknown>" } else { function };
            // Writing to a string does not fail.
            let _ = match (line, column) {
                (0, _) => write!(text, "\n    {function} {file}"),
                (line, 0) => write!(text, "\n    {function} {file}:{line}"),
                (line, column) => write!(text, "\n    {function} {file}:{line}:{column}"),
            };
        }
        text
    }
}

/// `1 block`, `3 blocks`.
pub fn many(number: u64, unit: &str) -> String {
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

/// `1024 B`, `1024 B in 3 blocks`, `3 blocks`.
fn of(limit: &Limit) -> String {
    match (limit.max_growth, limit.max_blocks) {
        (bytes, None) => size(bytes),
        (u64::MAX, Some(most)) => many(most, "block"),
        (bytes, Some(most)) => format!("{} in {}", size(bytes), many(most, "block")),
    }
}

/// A size as Python's tracemalloc writes it.
pub fn size(bytes: u64) -> String {
    format_size(bytes as f64, false)
}
