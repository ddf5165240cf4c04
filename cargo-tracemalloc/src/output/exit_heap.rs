//! The memory that is live at a program's end: lost blocks first, then the holders of the rest.

use anyhow::Result;
use camino::Utf8Path;
use serde::Serialize;
use tracemalloc::Domain;
use tracemalloc_harness::{ExitHeap, HeldEntry, LOST_BLOCK, LostEntry};

use crate::output::text::growth::{holder, place_of, size};
use crate::output::text::line::{count, line};
use crate::report;
use crate::util::terminal::{self, BAD, BOLD, DIM};

/// The version of the document's format.
const SCHEMA: u32 = 1;

/// The name of a lost block that C allocated.
const LOST_BLOCK_OF_C: &str = "a lost block of C";

/// The width of amounts.
const AMOUNT: usize = 26;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    #[serde(flatten)]
    exit_heap: Option<&'a ExitHeap>,
    /// The reason, if the heap was not searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

/// The JSON document that `docs/run.md` describes.
pub fn json(exit_heap: &Result<ExitHeap, String>) -> Result<String> {
    let document = Document {
        schema: SCHEMA,
        exit_heap: exit_heap.as_ref().ok(),
        error: exit_heap.as_ref().err().map(String::as_str),
    };
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// The text for a person, with at most `limit` places and holders. `path` is the path of the JSON
/// document, which has all.
pub fn text(exit_heap: &Result<ExitHeap, String>, limit: usize, path: &Utf8Path) -> Result<String> {
    let mut text = String::new();
    let exit_heap = match exit_heap {
        Ok(exit_heap) => report::displayed(exit_heap)?,
        Err(why) => {
            let why = terminal::escaped_line(why);
            line(&mut text, format_args!("{BOLD}Lost or held:{BOLD:#} unknown, because {why}"));
            return Ok(text);
        }
    };
    let lost = &exit_heap.lost;
    if lost.blocks == 0 {
        line(&mut text, format_args!("{BOLD}Lost:{BOLD:#} nothing"));
    } else {
        line(
            &mut text,
            format_args!("{BOLD}Lost:{BOLD:#} {BAD}{}{BAD:#}", amount(lost.bytes, lost.blocks)),
        );
    }
    if let Some(note) = &exit_heap.note {
        line(&mut text, format_args!("{DIM}some of it may be held, because {note}{DIM:#}"));
    }
    let heads = heads(&lost.groups);
    let lost = heads.iter().map(|head| (head.bytes, head.blocks, head.text()));
    table(&mut text, lost, limit, path);
    if !exit_heap.held.is_empty() {
        line(&mut text, format_args!("{BOLD}Held by{BOLD:#}"));
        let held = |held: &HeldEntry| (held.bytes, held.blocks, holder(&held.holder));
        table(&mut text, exit_heap.held.iter().map(held), limit, path);
    }
    text.push('\n');
    Ok(text)
}

fn table(
    text: &mut String,
    rows: impl Iterator<Item = (u64, u64, String)>,
    limit: usize,
    path: &Utf8Path,
) {
    let mut rows = rows;
    for (bytes, blocks, what) in rows.by_ref().take(limit) {
        line(text, format_args!("  {:AMOUNT$} {what}", amount(bytes, blocks)));
    }
    let more = rows.count();
    if more > 0 {
        line(text, format_args!("  {DIM}and {more} more in {path}{DIM:#}"));
    }
}

/// A lost block that no other block leads to, with all blocks that only it leads to.
struct Head<'a> {
    name: &'a str,
    place: Option<(&'a str, u32)>,
    bytes: u64,
    blocks: u64,
    leads: bool,
}

impl Head<'_> {
    fn text(&self) -> String {
        let place = place_of(self.place.map(|(file, _)| file), self.place.map(|(_, line)| line));
        let tail = if self.leads { ", with what only it leads to" } else { "" };
        format!("{}{place}{tail}", self.name)
    }
}

/// The heads, the most bytes first.
fn heads(groups: &[LostEntry]) -> Vec<Head<'_>> {
    let mut heads: Vec<Head<'_>> = Vec::new();
    for group in groups {
        let (name, place) = match &group.holder {
            Some(head) => (head.name.as_str(), head.file.as_deref().zip(head.line)),
            None => {
                let frame = group.traceback.last().filter(|frame| frame.line > 0);
                let unknown = if group.domain == Domain::C { LOST_BLOCK_OF_C } else { LOST_BLOCK };
                (
                    group.type_name.as_deref().unwrap_or(unknown),
                    frame.map(|frame| (frame.file.as_str(), frame.line)),
                )
            }
        };
        let index = heads
            .iter()
            .position(|head| (head.name, head.place) == (name, place))
            .unwrap_or_else(|| {
                heads.push(Head { name, place, bytes: 0, blocks: 0, leads: false });
                heads.len() - 1
            });
        let head = &mut heads[index];
        head.bytes += group.bytes;
        head.blocks += group.blocks;
        head.leads |= group.holder.is_some();
    }
    heads.sort_by_key(|head| std::cmp::Reverse((head.bytes, head.blocks)));
    heads
}

fn amount(bytes: u64, blocks: u64) -> String {
    format!("{} in {}", size(bytes), count(blocks, "block"))
}
