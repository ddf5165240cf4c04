//! The frames of a traceback, the most recent first. Frames outside the workspace are folded.

use tracemalloc_harness::FrameEntry;

use crate::output::text::line::{count, line};
use crate::output::text::short_name::short_name;
use crate::report::{Site, is_of_workspace};
use crate::util::terminal::{DIM, escaped};

/// Function names are padded to the longest one of a traceback, up to this width.
const WIDEST_FUNCTION: usize = 56;
/// Longer names of functions are shortened.
const WIDEST: usize = 80;
/// The number of frames that are shown without `-v`.
const SHOWN: usize = 6;

/// A line of the rendering.
enum Line<'a> {
    Frame(&'a FrameEntry),
    /// Frames outside the workspace.
    Folded(&'a [&'a FrameEntry]),
}

/// Renders the frames of a site, with its source line at the first frame inside the workspace.
pub fn render(text: &mut String, site: &Site, verbose: bool) {
    let recent_first: Vec<&FrameEntry> = site.traceback.iter().rev().collect();
    // Without a frame of the workspace, the others are all there is.
    let folds = !verbose && recent_first.iter().any(|frame| is_of_workspace(frame));
    let same =
        |a: &&FrameEntry, b: &&FrameEntry| folds && !is_of_workspace(a) && !is_of_workspace(b);
    let lines: Vec<Line<'_>> = recent_first
        .chunk_by(same)
        .map(|frames| match frames {
            [frame] if !folds || is_of_workspace(frame) => Line::Frame(frame),
            folded => Line::Folded(folded),
        })
        .collect();
    let shown = if verbose { lines.len() } else { lines.len().min(SHOWN) };
    let name = |frame: &FrameEntry| match frame.function.as_str() {
        "" => "<unknown>".to_owned(),
        function => short_name(function, WIDEST),
    };
    let widths = lines[..shown].iter().map(|line| match line {
        Line::Frame(frame) => name(frame).chars().count(),
        Line::Folded(_) => 0,
    });
    let width = widths.max().unwrap_or(0).min(WIDEST_FUNCTION);
    let mut source = site.source.as_deref();
    for one in &lines[..shown] {
        match one {
            Line::Frame(frame) => {
                let function = name(frame);
                line(text, format_args!("    {function:width$}   {DIM}{}{DIM:#}", place(frame)));
                if is_of_workspace(frame)
                    && let Some(source) = source.take()
                {
                    line(text, format_args!("      | {}", escaped(source)));
                }
            }
            Line::Folded(frames) => {
                line(text, format_args!("    {DIM}... {} ...{DIM:#}", folded(frames)));
            }
        }
    }
    let left_out: usize = lines[shown..]
        .iter()
        .map(|line| match line {
            Line::Frame(_) => 1,
            Line::Folded(frames) => frames.len(),
        })
        .sum();
    let cut = u64::from(site.total_nframe).saturating_sub(site.traceback.len() as u64);
    let older = cut + left_out as u64;
    if older > 0 {
        line(text, format_args!("    {DIM}and {}{DIM:#}", count(older, "older frame")));
    }
}

/// `9 frames of tokio, std`.
fn folded(frames: &[&FrameEntry]) -> String {
    let mut owners: Vec<&str> = Vec::new();
    for frame in frames {
        let owner = owner(frame);
        if !owners.contains(&owner) {
            owners.push(owner);
        }
    }
    let more = owners.len().saturating_sub(3);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    owners.truncate(3);
    format!("{} of {}{more}", count(frames.len() as u64, "frame"), owners.join(", "))
}

/// The package of a frame outside the workspace.
fn owner(frame: &FrameEntry) -> &str {
    let first = frame.file.split(['/', '\\']).next().unwrap_or_default();
    match first {
        "" | "<unknown>" => "unknown code",
        "core" | "alloc" => "std",
        _ => {
            let is_version = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
            let versions = first.match_indices('-');
            let mut versions = versions.filter(|(dash, _)| is_version(&first[dash + 1..]));
            versions.next().map_or(first, |(dash, _)| &first[..dash])
        }
    }
}

/// `src/lib.rs:12:17`, without unknown parts.
pub fn place(frame: &FrameEntry) -> String {
    match (frame.line, frame.column) {
        (0, _) => frame.file.clone(),
        (number, 0) => format!("{}:{number}", frame.file),
        (number, column) => format!("{}:{number}:{column}", frame.file),
    }
}
