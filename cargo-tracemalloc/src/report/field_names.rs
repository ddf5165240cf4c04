//! Names of the fields that hold the pointers of paths and cycles, from a binary's debug
//! information.
//!
//! Debug information of level 2 describes types. Release builds and `debug = 1` have none.

use std::path::Path;

use tracemalloc_harness::{GrowthEntry, HolderKind, StepEntry};

use crate::report::field_path::{Block, Content, in_block, in_static, name_to_look_up};
use crate::report::types::{Types, Wanted, with_types};

/// Adds the fields to the paths and cycles of this growth. Reads the binary only if needed.
///
/// The optimizer may split a static into parts, whose offsets are not those of its type.
pub fn name_fields<'a>(
    binary: &Path,
    is_optimised: bool,
    growth: impl Iterator<Item = &'a mut GrowthEntry>,
) {
    let has_steps = |one: &&mut GrowthEntry| !one.path.is_empty() || !one.cycle.is_empty();
    let mut growth: Vec<&mut GrowthEntry> = growth.filter(has_steps).collect();
    let mut wanted = Wanted::default();
    for one in &growth {
        let steps = one.path.iter().chain(&one.cycle);
        let names = steps.filter_map(|step| name_to_look_up(step.type_name.as_deref()?));
        wanted.types.extend(names);
        let with_fields =
            one.holder.iter().filter(|holder| holder.pointer.is_some() && !is_optimised);
        wanted.statics.extend(with_fields.map(|holder| holder.name.clone()));
    }
    if wanted.types.is_empty() && wanted.statics.is_empty() {
        return;
    }
    // A binary that is missing or broken has no debug information.
    let _unreadable = with_types(binary, &wanted, |types| {
        for one in &mut growth {
            name_path(types, one);
            name_cycle(types, &mut one.cycle);
        }
    });
}

/// Names the fields from the holder to the last block.
fn name_path(types: &Types<'_, '_>, growth: &mut GrowthEntry) {
    let Some(first) = growth.path.first() else { return };
    let holder = growth.holder.as_mut();
    let holder = holder.filter(|holder| holder.kind != HolderKind::LostBlock);
    let mut content = Content::Unknown;
    if let Some(holder) = holder
        && let Some(pointer) = holder.pointer
        && let Some(type_id) = types.of_static(&holder.name)
        && let Some(found) = in_static(types, type_id, pointer, block(first))
    {
        holder.field = Some(field(&found.text));
        content = found.content;
    }
    let path = &mut growth.path;
    for index in 1..path.len() {
        let (step, next) = (block(&path[index - 1]), block(&path[index]));
        let offset = u64::from(path[index - 1].pointer);
        let found = in_block(types, content, step, offset, next);
        content = found.as_ref().map_or(Content::Unknown, |found| found.content);
        path[index - 1].field = found.map(|found| field(&found.text));
    }
}

/// Names the fields of a cycle, whose last step leads to the first.
fn name_cycle(types: &Types<'_, '_>, cycle: &mut [StepEntry]) {
    for index in 0..cycle.len() {
        let next = block(&cycle[(index + 1) % cycle.len()]);
        let offset = u64::from(cycle[index].pointer);
        let found = in_block(types, Content::Unknown, block(&cycle[index]), offset, next);
        cycle[index].field = found.map(|found| field(&found.text));
    }
}

fn block(step: &StepEntry) -> Block<'_> {
    Block { type_name: step.type_name.as_deref(), bytes: step.bytes }
}

/// A path without the dot before its first field, as the report has it.
fn field(text: &str) -> String {
    text.strip_prefix('.').unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test below looks for this type.
    struct Described {
        first: Option<Box<u32>>,
        second: std::cell::RefCell<u16>,
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_field_is_found_by_its_offset() {
        let described = Described { first: Some(Box::new(7)), second: 7.into() };
        assert_eq!((described.first.as_deref(), *described.second.borrow()), (Some(&7), 7));
        let pointer = u32::try_from(16 + std::mem::offset_of!(Described, first)).unwrap();
        let mut step = StepEntry {
            type_name: Some(format!("Rc<{}::Described>", module_path!())),
            file: None,
            line: None,
            function: None,
            bytes: 16 + size_of::<Described>() as u64,
            pointer,
            strong: 1,
            field: None,
        };
        let binary = std::env::current_exe().expect("this is a program");
        let wanted = Wanted {
            types: [format!("{}::Described", module_path!())].into(),
            ..Wanted::default()
        };
        with_types(&binary, &wanted, |types| name_cycle(types, std::slice::from_mut(&mut step)))
            .expect("this program has debug information");
        assert_eq!(step.field.as_deref(), Some("first"));
    }
}
