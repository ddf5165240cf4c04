//! The message of a leaking test that no command reports.

use std::fmt::Write;

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
    let Headline { what, grew, runs, limit, reason } = headline;
    let bytes = leaks.iter().map(|leak| leak.bytes).sum();
    let blocks = leaks.iter().map(|leak| leak.blocks).sum();
    let plural = if *runs == 1 { "" } else { "s" };
    let mut text = format!(
        "{what} {} a run ({grew} of {runs} run{plural}), limit {}",
        amount(bytes, blocks),
        of(limit)
    );
    // Writing to a string does not fail.
    if let Some(reason) = reason {
        let _ = write!(text, "\n{reason}");
    }
    for leak in leaks {
        let type_name = leak.type_name.map(|name| format!("   {name}")).unwrap_or_default();
        let by = if leak.domain == Domain::C { ", allocated by C" } else { "" };
        let _ = write!(text, "\n\n  {}{by}{type_name}", amount(leak.bytes, leak.blocks));
        for (function, file, line, column) in leak.traceback.iter().rev() {
            let function = if function.is_empty() { "<unknown>" } else { function };
            let _ = match (line, column) {
                (0, _) => write!(text, "\n    {function} {file}"),
                (line, 0) => write!(text, "\n    {function} {file}:{line}"),
                (line, column) => write!(text, "\n    {function} {file}:{line}:{column}"),
            };
        }
    }
    text
}

/// `4096 B in 1 block`.
fn amount(bytes: u64, blocks: u64) -> String {
    format!("{} in {blocks} block{}", size(bytes), if blocks == 1 { "" } else { "s" })
}

/// `1024 B`, `1024 B in 3 blocks`, `3 blocks`.
fn of(limit: &Limit) -> String {
    let blocks = |blocks: u64| format!("{blocks} block{}", if blocks == 1 { "" } else { "s" });
    match (limit.max_growth, limit.max_blocks) {
        (bytes, None) => size(bytes),
        (u64::MAX, Some(most)) => blocks(most),
        (bytes, Some(most)) => format!("{} in {}", size(bytes), blocks(most)),
    }
}

/// A size as Python's tracemalloc writes it.
fn size(bytes: u64) -> String {
    format_size(bytes as f64, false)
}
