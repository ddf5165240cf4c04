//! Names of the fields that hold the pointers of a cycle, from a binary's debug information.
//!
//! Debug information of level 2 describes types. Release builds and `debug = 1` have none.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use gimli::{AttributeValue, DwTag};
use tracemalloc::internal::function_name::short_type;
use tracemalloc_harness::StepEntry;

use crate::report::debug_info::{Reader, with_debug_info};

/// The fields of a struct, each with its offset.
type Fields = Vec<(u64, String)>;

/// Adds to the steps of cycles the fields that hold their pointers.
pub fn name_fields<'a>(binary: &Path, steps: impl Iterator<Item = &'a mut StepEntry>) {
    let mut steps: Vec<&mut StepEntry> = steps.collect();
    let names = steps.iter().filter_map(|step| Some(content(step.type_name.as_deref()?)?.0));
    let wanted: HashSet<String> = names.map(str::to_owned).collect();
    if wanted.is_empty() {
        return;
    }
    // A binary that is missing or broken has no debug information.
    let structs = structs(binary, &wanted).unwrap_or_default();
    for step in &mut steps {
        let content = step.type_name.as_deref().and_then(content);
        step.field = content.and_then(|(name, start)| {
            let offset = u64::from(step.pointer).checked_sub(start)?;
            let before = structs.get(name)?.iter().filter(|(at, _)| *at <= offset);
            before.max_by_key(|(at, _)| *at).map(|(_, field)| field.clone())
        });
    }
}

/// The type of a block's content, and its offset in the block. An `Rc` begins with two counts.
fn content(type_name: &str) -> Option<(&str, u64)> {
    let inside = |head: &str| type_name.strip_prefix(head)?.strip_suffix('>');
    let counted = inside("Rc<").or_else(|| inside("Arc<")).map(|name| (name, 16));
    let (name, start) = counted.or_else(|| inside("Box<").map(|name| (name, 0)))?;
    // Types of the program have a path in their crate.
    name.contains("::").then_some((name, start))
}

/// The fields of the wanted structs, by the names of reports. A name with two layouts has none.
fn structs(binary: &Path, wanted: &HashSet<String>) -> anyhow::Result<HashMap<String, Fields>> {
    with_debug_info(binary, |dwarf| {
        let mut found: HashMap<String, Option<Fields>> = HashMap::new();
        let mut units = dwarf.units();
        while let Some(header) = units.next()? {
            let unit = dwarf.unit(header)?;
            let mut entries = unit.entries_raw(None)?;
            // The names of the scopes around the present entry, each with its depth.
            let mut path: Vec<(isize, String)> = Vec::new();
            let mut current: Option<(isize, String, Fields)> = None;
            while !entries.is_empty() {
                let depth = entries.next_depth();
                path.retain(|(other, _)| *other < depth);
                if current.as_ref().is_some_and(|(other, ..)| *other >= depth) {
                    add(&mut found, current.take());
                }
                let Some(abbreviation) = entries.read_abbreviation()? else { continue };
                let tag = abbreviation.tag();
                let is_field = tag == gimli::DW_TAG_member
                    && current.as_ref().is_some_and(|(other, ..)| *other + 1 == depth);
                if !is_field && !is_scope(tag) {
                    entries.skip_attributes(abbreviation.attributes())?;
                    continue;
                }
                let (mut name, mut location) = (None, None);
                for attribute in abbreviation.attributes() {
                    let attribute = entries.read_attribute(*attribute)?;
                    match attribute.name() {
                        gimli::DW_AT_name => name = text(dwarf, &unit, attribute.value()),
                        gimli::DW_AT_data_member_location => location = attribute.udata_value(),
                        _ => {}
                    }
                }
                let Some(name) = name else { continue };
                if is_field {
                    if let (Some((.., fields)), Some(location)) = (&mut current, location) {
                        fields.push((location, name));
                    }
                    continue;
                }
                path.push((depth, name));
                if tag == gimli::DW_TAG_structure_type {
                    let parts: Vec<&str> = path.iter().map(|(_, name)| name.as_str()).collect();
                    let name = short_type(&parts.join("::"));
                    if wanted.contains(&name) {
                        current = Some((depth, name, Vec::new()));
                    }
                }
            }
            add(&mut found, current);
        }
        Ok(found.into_iter().filter_map(|(name, fields)| Some((name, fields?))).collect())
    })
}

fn is_scope(tag: DwTag) -> bool {
    matches!(tag, gimli::DW_TAG_namespace | gimli::DW_TAG_structure_type)
}

fn add(found: &mut HashMap<String, Option<Fields>>, one: Option<(isize, String, Fields)>) {
    // A declaration has no fields, and an enum has variants instead.
    let Some((_, name, fields)) = one.filter(|(.., fields)| !fields.is_empty()) else { return };
    let known = found.entry(name).or_insert_with(|| Some(fields.clone()));
    if known.as_ref() != Some(&fields) {
        *known = None;
    }
}

fn text<'data>(
    dwarf: &gimli::Dwarf<Reader<'data>>,
    unit: &gimli::Unit<Reader<'data>>,
    value: AttributeValue<Reader<'data>>,
) -> Option<String> {
    dwarf.attr_string(unit, value).ok().map(|text| text.to_string_lossy().into_owned())
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
            bytes: 48,
            pointer,
            strong: 1,
            field: None,
        };
        let binary = std::env::current_exe().expect("this is a program");
        name_fields(&binary, [&mut step].into_iter());
        assert_eq!(step.field.as_deref(), Some("first"));
    }

    #[test]
    fn the_content_of_a_block_is_behind_the_counts() {
        assert_eq!(content("Rc<demo::Node<u8>>"), Some(("demo::Node<u8>", 16)));
        assert_eq!(content("Box<demo::Node>"), Some(("demo::Node", 0)));
        assert_eq!(content("Vec<demo::Node>"), None);
        assert_eq!(content("Rc<u8>"), None);
    }
}
