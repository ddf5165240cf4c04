//! The types of a binary, from its debug information of level 2: statics, and types by name.
//!
//! One pass over all units finds those that are wanted. Their parts are read when they are needed.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::rc::Rc;

use gimli::{AttributeValue, DebuggingInformationEntry, DwTag, Dwarf, Unit, UnitOffset};
use tracemalloc::internal::function_name::{self, short_type};

use crate::report::debug_info::{Reader, with_debug_info};

/// A type: the number of its unit, and its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TypeId(usize, UnitOffset);

/// A type.
#[derive(Debug)]
pub struct Type {
    /// The name, without the modules around it: `Vec<u8, alloc::alloc::Global>`.
    pub name: String,
    /// The modules around it: `alloc::vec`. Empty for primitive types, tuples and pointers.
    pub scope: Rc<str>,
    /// The size in bytes.
    pub size: u64,
    /// The alignment, if it is known.
    pub align: Option<u64>,
    /// The parts.
    pub shape: Shape,
    /// The generic parameters, by name.
    pub parameters: Vec<(String, TypeId)>,
}

/// The parts of a type.
#[derive(Debug)]
pub enum Shape {
    /// A struct, a tuple or a union.
    Fields(Vec<Field>),
    /// An enum with data: a struct for each variant.
    Variants(Vec<Field>),
    /// An array of elements.
    Array(TypeId),
    /// A thin pointer or reference, with the type behind it.
    Pointer(Option<TypeId>),
    /// A number, or another type without parts.
    Scalar,
}

/// A field, or a variant of an enum.
#[derive(Debug)]
pub struct Field {
    /// The name: `page`, or `__0` in a tuple.
    pub name: String,
    /// The offset in bytes.
    pub offset: u64,
    /// The type.
    pub type_id: TypeId,
}

/// The names to look for, as reports write them.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Statics and thread-locals.
    pub statics: HashSet<String>,
    /// Types.
    pub types: HashSet<String>,
}

/// The types of one binary.
pub struct Types<'a, 'data> {
    dwarf: &'a Dwarf<Reader<'data>>,
    headers: Vec<gimli::UnitHeader<Reader<'data>>>,
    units: RefCell<HashMap<usize, Rc<Part<'data>>>>,
    known: RefCell<HashMap<TypeId, Option<Rc<Type>>>>,
    statics: HashMap<String, TypeId>,
    /// With their sizes. Several types may have one name.
    named: HashMap<String, Vec<(TypeId, u64)>>,
}

/// A unit, and the modules around each of its types.
struct Part<'data> {
    unit: Unit<Reader<'data>>,
    scopes: HashMap<UnitOffset, Rc<str>>,
}

/// Reads the types of a binary.
pub fn with_types<T>(
    binary: &Path,
    wanted: &Wanted,
    read: impl FnOnce(&Types<'_, '_>) -> T,
) -> anyhow::Result<T> {
    with_debug_info(binary, |dwarf| {
        let mut types = Types {
            dwarf,
            headers: Vec::new(),
            units: RefCell::default(),
            known: RefCell::default(),
            statics: HashMap::new(),
            named: HashMap::new(),
        };
        types.find(wanted)?;
        Ok(read(&types))
    })
}

impl<'data> Types<'_, 'data> {
    /// The type of a static or thread-local.
    pub fn of_static(&self, name: &str) -> Option<TypeId> {
        self.statics.get(name).copied()
    }

    /// The type of this name and size. If none has that size, the only one of this name.
    pub fn named(&self, name: &str, size: Option<u64>) -> Option<TypeId> {
        let all = self.named.get(name)?;
        let of_size = all.iter().find(|(_, other)| Some(*other) == size);
        let only = all.first().filter(|first| all.iter().all(|one| one.1 == first.1));
        of_size.or(only).map(|(type_id, _)| *type_id)
    }

    /// A type.
    pub fn get(&self, type_id: TypeId) -> Option<Rc<Type>> {
        if let Some(known) = self.known.borrow().get(&type_id) {
            return known.clone();
        }
        let read = self.read(type_id).map(Rc::new);
        self.known.borrow_mut().insert(type_id, read.clone());
        read
    }

    /// Finds what is wanted, in one pass over all units.
    fn find(&mut self, wanted: &Wanted) -> anyhow::Result<()> {
        let tails: HashSet<&str> = wanted.types.iter().map(|name| tail(name)).collect();
        let statics: Vec<&str> =
            wanted.statics.iter().filter_map(|name| name.rsplit("::").next()).collect();
        let mut headers = self.dwarf.units();
        while let Some(header) = headers.next()? {
            let number = self.headers.len();
            self.headers.push(header);
            let unit = self.dwarf.unit(header)?;
            let mut entries = unit.entries_raw(None)?;
            let mut path: Vec<(isize, Reader<'data>)> = Vec::new();
            while !entries.is_empty() {
                let (depth, offset) = (entries.next_depth(), entries.next_offset());
                while path.last().is_some_and(|(other, _)| *other >= depth) {
                    path.pop();
                }
                let Some(abbreviation) = entries.read_abbreviation()? else { continue };
                let (tag, attributes) = (abbreviation.tag(), abbreviation.attributes());
                // Local variables have no linkage name.
                let is_static = tag == gimli::DW_TAG_variable
                    && attributes.iter().any(|one| one.name() == gimli::DW_AT_linkage_name);
                if !is_static && !is_scope(tag) {
                    entries.skip_attributes(attributes)?;
                    continue;
                }
                let (mut name, mut linkage_name, mut size, mut type_value) =
                    (None, None, None, None);
                for attribute in attributes {
                    let attribute = entries.read_attribute(*attribute)?;
                    match attribute.name() {
                        gimli::DW_AT_name => name = Some(attribute.value()),
                        gimli::DW_AT_linkage_name => linkage_name = Some(attribute.value()),
                        gimli::DW_AT_byte_size => size = attribute.udata_value(),
                        gimli::DW_AT_type => type_value = Some(attribute.value()),
                        _ => {}
                    }
                }
                let text = |value| self.dwarf.attr_string(&unit, value).ok();
                if is_static {
                    let Some(mangled) = linkage_name.and_then(text) else { continue };
                    let mangled = mangled.to_string_lossy();
                    if !statics.iter().any(|one| !one.is_ascii() || mangled.contains(one)) {
                        continue;
                    }
                    let name = format!("{:#}", rustc_demangle::demangle(&mangled));
                    let name = function_name::pretty(function_name::static_path(&name));
                    let type_id = type_value.and_then(|value| self.type_id(number, value));
                    if let Some(type_id) = type_id.filter(|_| wanted.statics.contains(&name)) {
                        self.statics.entry(name).or_insert(type_id);
                    }
                    continue;
                }
                let Some(name) = name.and_then(text) else { continue };
                // A declaration has no size.
                if let Some(size) = size.filter(|_| tag != gimli::DW_TAG_namespace)
                    && let name = as_symbols_say(name.to_string_lossy())
                    && tails.contains(tail(&name))
                {
                    let scope = path.iter().map(|(_, name)| name.to_string_lossy());
                    let parts: Vec<_> = scope.chain([name]).collect();
                    let name = short_type(&parts.join("::"));
                    if wanted.types.contains(&name) {
                        let same = self.named.entry(name).or_default();
                        same.push((TypeId(number, offset), size));
                    }
                }
                path.push((depth, name));
            }
        }
        Ok(())
    }

    fn type_id(&self, unit: usize, value: AttributeValue<Reader<'data>>) -> Option<TypeId> {
        match value {
            AttributeValue::UnitRef(offset) => Some(TypeId(unit, offset)),
            AttributeValue::DebugInfoRef(offset) => {
                let start = |header: &gimli::UnitHeader<_>| header.debug_info_offset();
                let behind = self.headers.partition_point(|header| start(header) <= Some(offset));
                let unit = behind.checked_sub(1)?;
                Some(TypeId(unit, offset.to_unit_offset(&self.headers[unit])?))
            }
            _ => None,
        }
    }

    fn part(&self, number: usize) -> Option<Rc<Part<'data>>> {
        if let Some(known) = self.units.borrow().get(&number) {
            return Some(known.clone());
        }
        let unit = self.dwarf.unit(*self.headers.get(number)?).ok()?;
        let scopes = self.scopes(&unit).ok()?;
        let part = Rc::new(Part { unit, scopes });
        self.units.borrow_mut().insert(number, part.clone());
        Some(part)
    }

    /// The modules around each type of a unit.
    fn scopes(&self, unit: &Unit<Reader<'data>>) -> gimli::Result<HashMap<UnitOffset, Rc<str>>> {
        let mut scopes = HashMap::new();
        let mut path: Vec<(isize, Rc<str>)> = Vec::new();
        let mut entries = unit.entries_raw(None)?;
        let nothing: Rc<str> = "".into();
        while !entries.is_empty() {
            let (depth, offset) = (entries.next_depth(), entries.next_offset());
            path.retain(|(other, _)| *other < depth);
            let Some(abbreviation) = entries.read_abbreviation()? else { continue };
            if !is_scope(abbreviation.tag()) {
                entries.skip_attributes(abbreviation.attributes())?;
                continue;
            }
            let mut name = None;
            for attribute in abbreviation.attributes() {
                let attribute = entries.read_attribute(*attribute)?;
                if attribute.name() == gimli::DW_AT_name {
                    name = self.dwarf.attr_string(unit, attribute.value()).ok();
                }
            }
            let around = path.last().map_or(&nothing, |(_, around)| around).clone();
            if let Some(name) = name {
                let name = name.to_string_lossy();
                let whole = if around.is_empty() {
                    name.as_ref().into()
                } else {
                    format!("{around}::{name}").into()
                };
                path.push((depth, whole));
            }
            if abbreviation.tag() != gimli::DW_TAG_namespace {
                scopes.insert(offset, around);
            }
        }
        Ok(scopes)
    }

    fn read(&self, type_id: TypeId) -> Option<Type> {
        let part = self.part(type_id.0)?;
        let mut tree = part.unit.entries_tree(Some(type_id.1)).ok()?;
        let root = tree.root().ok()?;
        let entry = root.entry();
        let number = |name| entry.attr(name).and_then(gimli::Attribute::udata_value);
        let behind = |entry: &DebuggingInformationEntry<Reader<'data>>| {
            self.type_id(type_id.0, entry.attr_value(gimli::DW_AT_type)?)
        };
        let name = |entry: &DebuggingInformationEntry<Reader<'data>>| {
            let value = entry.attr_value(gimli::DW_AT_name)?;
            let text = self.dwarf.attr_string(&part.unit, value).ok()?;
            Some(text.to_string_lossy().into_owned())
        };
        let field = |entry: &DebuggingInformationEntry<Reader<'data>>| {
            let offset = entry.attr(gimli::DW_AT_data_member_location)?.udata_value()?;
            Some(Field { name: name(entry)?, offset, type_id: behind(entry)? })
        };
        let tag = entry.tag();
        let mut found = Type {
            name: name(entry).unwrap_or_default(),
            scope: part.scopes.get(&type_id.1).cloned().unwrap_or_default(),
            size: number(gimli::DW_AT_byte_size).unwrap_or(0),
            align: number(gimli::DW_AT_alignment),
            shape: Shape::Scalar,
            parameters: Vec::new(),
        };
        match tag {
            gimli::DW_TAG_pointer_type => {
                (found.size, found.shape) = (8, Shape::Pointer(behind(entry)));
            }
            gimli::DW_TAG_array_type => {
                let element = behind(entry)?;
                let mut count = 0;
                let mut children = root.children();
                while let Ok(Some(child)) = children.next() {
                    let number = |name| child.entry().attr(name)?.udata_value();
                    count = number(gimli::DW_AT_count).unwrap_or(count);
                }
                let size = self.get(element).map_or(0, |element| element.size);
                found.size = size.saturating_mul(count);
                found.shape = Shape::Array(element);
            }
            _ if is_scope(tag) => {
                let (mut fields, mut variants) = (Vec::new(), None);
                let mut children = root.children();
                while let Ok(Some(child)) = children.next() {
                    match child.entry().tag() {
                        gimli::DW_TAG_member => fields.extend(field(child.entry())),
                        gimli::DW_TAG_template_type_parameter => {
                            let one = name(child.entry()).zip(behind(child.entry()));
                            found.parameters.extend(one);
                        }
                        gimli::DW_TAG_variant_part => {
                            let variants = variants.get_or_insert_with(Vec::new);
                            let mut parts = child.children();
                            while let Ok(Some(variant)) = parts.next() {
                                if variant.entry().tag() != gimli::DW_TAG_variant {
                                    continue;
                                }
                                let mut members = variant.children();
                                while let Ok(Some(member)) = members.next() {
                                    variants.extend(field(member.entry()));
                                }
                            }
                        }
                        _ => {}
                    }
                }
                found.shape = variants.map_or(Shape::Fields(fields), Shape::Variants);
            }
            _ => {}
        }
        Some(found)
    }
}

/// Entries with names that are parts of the names below them.
fn is_scope(tag: DwTag) -> bool {
    matches!(
        tag,
        gimli::DW_TAG_namespace
            | gimli::DW_TAG_structure_type
            | gimli::DW_TAG_union_type
            | gimli::DW_TAG_enumeration_type
    )
}

/// The name of a closure's or future's variables, as symbols name its code: `{closure#0}` for
/// `{closure_env#0}` and `{async_fn_env#0}`.
fn as_symbols_say(name: Cow<'_, str>) -> Cow<'_, str> {
    match name.split_once("_env#").filter(|_| name.starts_with('{')) {
        Some((_, number)) => format!("{{closure#{number}").into(),
        None => name,
    }
}

/// The last segment of a type's name, without generics: `Node` for `demo::Node<u8>`.
fn tail(name: &str) -> &str {
    let head = name.split(['<', '(']).next().unwrap_or(name);
    head.rsplit("::").next().unwrap_or(head)
}
