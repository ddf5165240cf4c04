//! The growth of one traceback in words: its amount and its holder.

use tracemalloc_harness::{GrowthEntry, HolderEntry, HolderKind, Retained, StepEntry};

use crate::output::text::line::count;
use crate::output::text::short_name::short_name;

/// Longer names of types on a way are shortened: a line has several.
const WIDEST_TYPE: usize = 40;

/// All growth: `4096 B in 1 block`.
pub fn sum_of_all(growth: &[GrowthEntry]) -> String {
    let sum = |of: fn(&GrowthEntry) -> u64| growth.iter().map(of).sum();
    amount_of(sum(|growth| growth.bytes), sum(|growth| growth.blocks))
}

/// `4096 B in 1 block`. A block that became larger is no new block.
pub fn amount_of(bytes: u64, blocks: u64) -> String {
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

/// A difference of sizes in the form of Python's tracemalloc: `+10000 B`.
#[expect(
    clippy::cast_precision_loss,
    reason = "Python divides as floating point too; at most one digit is shown"
)]
pub fn signed_size(bytes: i64) -> String {
    tracemalloc::format_size(bytes as f64, true)
}

/// The number of steps from a holder to a block that are shown, besides the block.
const SHOWN_STEPS: usize = 3;

/// `lost: nothing points to it`, `held by store::SEEN -> Vec<String> (src/lib.rs:8) -> String`.
pub fn retained(growth: &GrowthEntry) -> Option<String> {
    match (growth.retained?, &growth.holder) {
        (Retained::Lost, None) => Some("lost: nothing points to it".to_owned()),
        (Retained::Lost, Some(head)) => Some(format!("lost: only {} leads to it", holder(head))),
        (Retained::Held, None) => Some("held".to_owned()),
        (Retained::Held, Some(by)) => {
            if let Some(path) = access_path(by, &growth.path, growth.path_steps) {
                return Some(format!("held by {path}"));
            }
            let mut text = format!("held by {}", holder(by));
            let (first, last) = growth.path.split_at(growth.path.len().saturating_sub(1));
            for step in first.iter().take(SHOWN_STEPS) {
                text += &format!(" -> {}", self::step(step, true));
            }
            let left_out = u64::from(growth.path_steps)
                .saturating_sub((first.len().min(SHOWN_STEPS) + last.len()) as u64);
            if left_out > 0 {
                text += &format!(" -> {}", count(left_out, "more block"));
            }
            for step in last {
                text += &format!(" -> {}", self::step(step, false));
            }
            Some(text)
        }
    }
}

/// `static store::SEEN (src/lib.rs:5)`, `the stack of thread worker (pool::work)`.
pub fn holder(holder: &HolderEntry) -> String {
    let place = place_of(holder.file.as_deref(), holder.line);
    let name = holder_name(holder);
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

/// The name of a holder.
pub fn holder_name(holder: &HolderEntry) -> &str {
    &holder.name
}

/// A block on a path, with its place or without it.
pub fn step(step: &StepEntry, with_place: bool) -> String {
    let name = match (&step.type_name, &step.file) {
        (Some(name), _) => short_name(name, WIDEST_TYPE) + &with_dot(step.field.as_deref()),
        (None, None) if step.function.is_none() => format!("{} untraced", size(step.bytes)),
        (None, _) => size(step.bytes),
    };
    let function = step.function.as_deref().filter(|function| !function.is_empty());
    if with_place { name + &place_of(step.file.as_deref().or(function), step.line) } else { name }
}

/// A path from a holder to its last block as a person would write it:
/// `store::CACHE.entries[..].page: Vec<u8>`. `None` if not all fields on it are known.
pub fn access_path(holder: &HolderEntry, steps: &[StepEntry], whole: u32) -> Option<String> {
    let (last, before) = steps.split_last()?;
    let mut text = holder_name(holder).to_owned() + &with_dot(Some(holder.field.as_deref()?));
    let mut left_out = whole as usize - steps.len().min(whole as usize);
    // The pointer to a block that is left out is not known.
    let known = before.len() - usize::from(left_out > 0);
    let mut same: Vec<&str> = Vec::new();
    for step in &before[..known] {
        let field = step.field.as_deref()?;
        same.retain(|other| *other == field);
        // The nodes of a list look all alike.
        if same.len() < SHOWN_STEPS {
            same.push(field);
            text += &with_dot(Some(field));
        } else {
            left_out += 1;
        }
    }
    left_out += before.len() - known;
    if left_out > 0 {
        text += &format!(" and {}", count(left_out as u64, "more block"));
    }
    Some(format!("{text}: {}", step(last, false)))
}

/// The fields behind a name.
pub fn with_dot(field: Option<&str>) -> String {
    match field {
        None | Some("") => String::new(),
        Some(field) if field.starts_with(['[', ':']) => field.to_owned(),
        Some(field) => format!(".{field}"),
    }
}

/// ` (src/lib.rs:14)`, or nothing.
pub fn place_of(file: Option<&str>, number: Option<u32>) -> String {
    match (file, number) {
        (Some(file), Some(number)) => format!(" ({file}:{number})"),
        (Some(file), None) => format!(" ({file})"),
        (None, _) => String::new(),
    }
}
