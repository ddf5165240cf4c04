//! The growth of one traceback: its amount, type, holder and frames.

use camino::Utf8Path;
use tracemalloc_harness::{
    FrameEntry, GrowthEntry, GrowthKind, HolderEntry, HolderKind, Retained, StepEntry,
};

use crate::output::text::line::{count, line};
use crate::util::terminal::{BOLD, DIM};

/// Function names are padded to the longest one of a traceback, up to this width.
const WIDEST_FUNCTION: usize = 56;
/// Longer source lines are cut.
const WIDEST_SOURCE: usize = 100;

/// The growth of one kind: `4096 B in 1 block`.
pub fn sum(growth: &[GrowthEntry], kind: GrowthKind) -> String {
    amount(growth.iter().filter(|growth| growth.kind == kind))
}

/// All growth, in the same form.
pub fn sum_of_all(growth: &[GrowthEntry]) -> String {
    amount(growth.iter())
}

fn amount<'a>(growth: impl Iterator<Item = &'a GrowthEntry>) -> String {
    let (bytes, blocks) =
        growth.fold((0, 0), |sum, growth| (sum.0 + growth.bytes, sum.1 + growth.blocks));
    if blocks == 0 && bytes > 0 {
        return format!("{} in larger blocks", size(bytes));
    }
    format!("{} in {}", size(bytes), count(blocks, "block"))
}

/// A size in the form of Python's tracemalloc.
pub fn size(bytes: u64) -> String {
    #[expect(
        clippy::cast_precision_loss,
        reason = "Python divides as floating point too; at most one digit is shown"
    )]
    tracemalloc::format_size(bytes as f64, false)
}

/// The number of steps from a holder to a block that are shown, besides the block.
const SHOWN_STEPS: usize = 3;

/// Renders the amount, the type, and the frames, the most recent one first.
pub fn render(text: &mut String, growth: &GrowthEntry, root: &Utf8Path) {
    let type_name =
        growth.type_name.as_deref().map(|name| format!("   {name}")).unwrap_or_default();
    let initialiser = growth
        .initialiser
        .as_deref()
        .map(|name| format!("   {DIM}under {name}{DIM:#}"))
        .unwrap_or_default();
    let amount = amount(std::iter::once(growth));
    line(text, format_args!("\n  {BOLD}{amount}{BOLD:#}{type_name}{initialiser}"));
    if let Some(retained) = retained(growth) {
        line(text, format_args!("    {retained}"));
    }
    let width = growth
        .traceback
        .iter()
        .map(|frame| frame.function.chars().count())
        .max()
        .unwrap_or(0)
        .min(WIDEST_FUNCTION);
    for (index, frame) in growth.traceback.iter().rev().enumerate() {
        let function = if frame.function.is_empty() { "<unknown>" } else { &frame.function };
        line(text, format_args!("    {function:width$}   {DIM}{}{DIM:#}", place(frame)));
        if let Some(source) = source_line(frame, root).filter(|_| index == 0) {
            line(text, format_args!("      | {source}"));
        }
    }
    let cut = u64::from(growth.total_nframe).saturating_sub(growth.traceback.len() as u64);
    if cut > 0 {
        line(text, format_args!("    {DIM}and {}{DIM:#}", count(cut, "older frame")));
    }
}

/// `lost: nothing points to it`, `held by store::SEEN -> Vec<String> (src/lib.rs:8) -> String`.
pub fn retained(growth: &GrowthEntry) -> Option<String> {
    match (growth.retained?, &growth.holder) {
        (Retained::Lost, None) => Some("lost: nothing points to it".to_owned()),
        (Retained::Lost, Some(head)) => Some(format!("lost: only {} leads to it", holder(head))),
        (Retained::Held, None) => Some("held".to_owned()),
        (Retained::Held, Some(by)) => {
            let mut text = format!("held by {}", holder(by));
            let (first, last) = growth.path.split_at(growth.path.len().saturating_sub(1));
            for step in first.iter().take(SHOWN_STEPS) {
                text += &format!(" -> {}", self::step(step, false));
            }
            let left_out = u64::from(growth.path_steps)
                .saturating_sub((first.len().min(SHOWN_STEPS) + last.len()) as u64);
            if left_out > 0 {
                text += &format!(" -> {}", count(left_out, "more block"));
            }
            for step in last {
                text += &format!(" -> {}", self::step(step, true));
            }
            Some(text)
        }
    }
}

/// `static store::SEEN (src/lib.rs:5)`, `the stack of thread worker (pool::work)`.
pub fn holder(holder: &HolderEntry) -> String {
    let place = place_of(holder.file.as_deref(), holder.line);
    let name = &holder.name;
    let of_thread = || {
        let thread = holder.thread.as_deref().unwrap_or(name);
        let start =
            holder.start.as_ref().map(|start| format!(" (runs {start})")).unwrap_or_default();
        if thread.starts_with("the ") || thread.starts_with("a ") {
            format!("{thread}{start}")
        } else {
            format!("thread `{thread}`{start}")
        }
    };
    match holder.kind {
        HolderKind::Static | HolderKind::Library => format!("{name}{place}"),
        HolderKind::ThreadLocal => format!("{name}{place} of {}", of_thread()),
        HolderKind::Stack => format!("the stack of {}", of_thread()),
        HolderKind::Register => format!("a register of {}", of_thread()),
        HolderKind::Foreign => "foreign memory".to_owned(),
        HolderKind::LostBlock => {
            format!("the lost {}{place}", name.strip_prefix("a lost ").unwrap_or(name))
        }
    }
}

/// A block on the path. The place of the last block is missing, because its traceback follows.
fn step(step: &StepEntry, is_last: bool) -> String {
    let name = match (&step.type_name, &step.file) {
        (Some(name), _) => name.clone(),
        (None, Some(_)) => size(step.bytes),
        (None, None) => format!("{} untraced", size(step.bytes)),
    };
    if is_last { name } else { name + &place_of(step.file.as_deref(), step.line) }
}

/// ` (src/lib.rs:14)`, or nothing.
pub fn place_of(file: Option<&str>, number: Option<u32>) -> String {
    match (file, number) {
        (Some(file), Some(number)) => format!(" ({file}:{number})"),
        (Some(file), None) => format!(" ({file})"),
        (None, _) => String::new(),
    }
}

/// `src/lib.rs:12:17`, without unknown parts.
fn place(frame: &FrameEntry) -> String {
    match (frame.line, frame.column) {
        (0, _) => frame.file.clone(),
        (number, 0) => format!("{}:{number}", frame.file),
        (number, column) => format!("{}:{number}:{column}", frame.file),
    }
}

/// The line of source code, if the file exists in the workspace.
fn source_line(frame: &FrameEntry, root: &Utf8Path) -> Option<String> {
    let index = usize::try_from(frame.line).ok()?.checked_sub(1)?;
    let source = fs_err::read_to_string(root.join(&frame.file)).ok()?;
    let found = source.lines().nth(index)?.trim();
    let shown: String = found.chars().take(WIDEST_SOURCE).collect();
    if found.is_empty() { None } else { Some(shown) }
}
