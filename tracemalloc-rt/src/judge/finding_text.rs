//! A finding in one line: `held by store::SEEN -> Vec<String> (src/lib.rs:8) -> String`.

use crate::heap::{Holder, HolderKind};
use crate::judge::finding::{Finding, Step};
use crate::judge::leak_text::{many, size};

/// The number of steps from a holder to a block that are shown, besides the block.
const SHOWN_STEPS: usize = 3;

/// The line; `None` if the heap was not searched.
pub fn finding_text(finding: &Finding) -> Option<String> {
    match finding {
        Finding::Unknown => None,
        Finding::Lost { with: Some(head), .. } => {
            Some(format!("lost: only a lost {} leads to it", step(&head.block, true)))
        }
        Finding::Lost { with: None, cycle, steps } if !cycle.is_empty() => {
            Some(format!("lost: a cycle of {}", way(cycle, *steps, true).join(" -> ")))
        }
        Finding::Lost { .. } => Some("lost: nothing points to it".to_owned()),
        Finding::Held { by, path, steps, .. } => {
            let mut parts = vec![format!("held by {}", holder(by))];
            parts.extend(way(path, *steps, false));
            Some(parts.join(" -> "))
        }
    }
}

fn holder(holder: &Holder) -> String {
    let start = holder.start.as_ref().map(|start| format!(" (runs {start})"));
    let is_a_thread = matches!(holder.kind, HolderKind::Stack | HolderKind::Register);
    format!("{}{holder}{}", if is_a_thread { "the " } else { "" }, start.unwrap_or_default())
}

/// The first steps, and the last one with its place or without it.
pub fn way(steps: &[Step], whole: u32, with_last_place: bool) -> Vec<String> {
    let (first, last) = steps.split_at(steps.len().saturating_sub(1));
    let mut parts: Vec<String> =
        first.iter().take(SHOWN_STEPS).map(|one| step(one, true)).collect();
    let left_out = u64::from(whole).saturating_sub((parts.len() + last.len()) as u64);
    if left_out > 0 {
        parts.push(many(left_out, "more block"));
    }
    parts.extend(last.iter().map(|one| step(one, with_last_place)));
    parts
}

/// A block, by its type or its size, with its place or without it.
fn step(step: &Step, with_place: bool) -> String {
    let name = match (&step.type_name, &step.place) {
        (Some(name), _) => name.clone(),
        (None, None) if step.function.is_none() => format!("{} untraced", size(step.bytes)),
        (None, _) => size(step.bytes),
    };
    match (&step.place, &step.function) {
        (Some((file, line)), _) if with_place => format!("{name} ({file}:{line})"),
        (None, Some(function)) if with_place && !function.is_empty() => {
            format!("{name} ({function})")
        }
        _ => name,
    }
}
