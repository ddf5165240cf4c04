//! The path from a holder to blocks, as text.

use tracemalloc::internal::held_memory::{HeldKind, HeldPlace};
use tracemalloc_harness::{HolderEntry, HolderKind};

use crate::output::text::growth::{holder, place_of};
use crate::output::text::line::count;
use crate::output::text::short_name::short_name;

/// Longer names of types are shortened: a line has several.
const WIDEST_TYPE: usize = 40;
/// The number of steps that are shown before the last one.
const SHOWN_STEPS: usize = 3;

/// `store::SEEN -> Vec<String> -> String (src/lib.rs:8)`.
pub fn held_path(path: &[HeldPlace]) -> String {
    let Some((first, steps)) = path.split_first() else { return String::new() };
    let mut text = holder_of(first);
    let Some((last, others)) = steps.split_last() else { return text };
    for step in others.iter().take(SHOWN_STEPS) {
        text += &format!(" -> {}", blocks(step));
    }
    if let Some(more) = others.len().checked_sub(SHOWN_STEPS).filter(|more| *more > 0) {
        text += &format!(" -> {}", count(more as u64, "more step"));
    }
    text += &format!(" -> {}", blocks(last));
    if last.name.is_some() { text + &place_of(last.file.as_deref(), last.line) } else { text }
}

fn holder_of(place: &HeldPlace) -> String {
    let kind = match place.kind {
        HeldKind::Lost | HeldKind::Blocks => return "lost".to_owned(),
        HeldKind::Static => HolderKind::Static,
        HeldKind::Library => HolderKind::Library,
        HeldKind::ThreadLocal => HolderKind::ThreadLocal,
        HeldKind::Stack => HolderKind::Stack,
        HeldKind::Register => HolderKind::Register,
        HeldKind::Foreign => HolderKind::Foreign,
    };
    holder(&HolderEntry {
        pointer: None,
        field: None,
        kind,
        name: place.name.clone().unwrap_or_default(),
        file: None,
        line: None,
        thread: place.thread.clone(),
        start: place.start.clone(),
        known: false,
    })
}

/// The type of blocks, or else the place that allocated them.
fn blocks(place: &HeldPlace) -> String {
    match (&place.name, &place.file, place.line) {
        (Some(name), _, _) => short_name(name, WIDEST_TYPE),
        (None, Some(file), Some(line)) => format!("{file}:{line}"),
        (None, Some(file), None) => file.clone(),
        (None, None, _) => "blocks of an unknown place".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: Option<&str>, line: u32) -> HeldPlace {
        HeldPlace {
            kind: HeldKind::Blocks,
            name: name.map(str::to_owned),
            thread: None,
            start: None,
            file: Some("src/lib.rs".to_owned()),
            line: Some(line),
        }
    }

    #[test]
    fn a_long_path_is_cut_in_the_middle() {
        let lost = HeldPlace { kind: HeldKind::Lost, file: None, line: None, ..step(None, 0) };
        let path = |steps: u32| {
            let steps = (1..=steps).map(|line| step(Some("Vec<u8>"), line));
            held_path(&std::iter::once(lost.clone()).chain(steps).collect::<Vec<_>>())
        };
        assert_eq!(path(0), "lost");
        assert_eq!(path(1), "lost -> Vec<u8> (src/lib.rs:1)");
        assert_eq!(
            path(6),
            "lost -> Vec<u8> -> Vec<u8> -> Vec<u8> -> 2 more steps -> Vec<u8> (src/lib.rs:6)"
        );
        assert_eq!(held_path(&[lost, step(None, 7)]), "lost -> src/lib.rs:7");
    }
}
