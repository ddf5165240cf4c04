//! One traceback's growth: how much, of what, allocated where.

use camino::Utf8Path;
use tracemalloc_harness::{FrameEntry, GrowthEntry, GrowthKind};

use super::{count, line};
use crate::term::{BOLD, DIM};

/// Names of functions are padded to the longest of a traceback, but not beyond this.
const WIDEST_FUNCTION: usize = 56;
/// Longer source lines are cut.
const WIDEST_SOURCE: usize = 100;

/// `4096 B in 1 block`, over the growth of one kind.
pub fn sum(growth: &[GrowthEntry], kind: GrowthKind) -> String {
    amount(growth.iter().filter(|growth| growth.kind == kind))
}

/// The same over all growth.
pub fn sum_of_all(growth: &[GrowthEntry]) -> String {
    amount(growth.iter())
}

fn amount<'a>(growth: impl Iterator<Item = &'a GrowthEntry>) -> String {
    let (bytes, blocks) = growth.fold((0, 0), |sum, growth| (sum.0 + growth.bytes, sum.1 + growth.blocks));
    format!("{} in {}", size(bytes), count(blocks, "block"))
}

/// As Python's tracemalloc writes sizes.
pub fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "Python divides as floating point too; at most one digit is shown")]
    tracemalloc::format_size(bytes as f64, false)
}

/// The amount, the type, and the frames, most recent first.
pub fn render(text: &mut String, growth: &GrowthEntry, root: &Utf8Path) {
    let type_name = growth.type_name.as_deref().map(|name| format!("   {name}")).unwrap_or_default();
    let initialiser =
        growth.initialiser.as_deref().map(|name| format!("   {DIM}under {name}{DIM:#}")).unwrap_or_default();
    let amount = amount(std::iter::once(growth));
    line(text, format_args!("\n  {BOLD}{amount}{BOLD:#}{type_name}{initialiser}"));
    let width =
        growth.traceback.iter().map(|frame| frame.function.chars().count()).max().unwrap_or(0).min(WIDEST_FUNCTION);
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

/// `src/lib.rs:12:17`, without what is not known.
fn place(frame: &FrameEntry) -> String {
    match (frame.line, frame.column) {
        (0, _) => frame.file.clone(),
        (number, 0) => format!("{}:{number}", frame.file),
        (number, column) => format!("{}:{number}:{column}", frame.file),
    }
}

/// The line of the user's own code, if it is where the report says.
fn source_line(frame: &FrameEntry, root: &Utf8Path) -> Option<String> {
    let index = usize::try_from(frame.line).ok()?.checked_sub(1)?;
    let source = fs_err::read_to_string(root.join(&frame.file)).ok()?;
    let found = source.lines().nth(index)?.trim();
    let shown: String = found.chars().take(WIDEST_SOURCE).collect();
    if found.is_empty() { None } else { Some(shown) }
}
