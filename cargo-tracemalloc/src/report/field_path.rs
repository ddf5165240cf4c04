//! The fields that lead from a static, or from a block, to the pointer at an offset in it.
//!
//! Private fields of std and of other libraries of containers are not shown: a vector's elements
//! are `[..]`, and so are the values of a map. Its keys are `.keys()`.

use std::rc::Rc;

use tracemalloc::internal::function_name::short_type;

use crate::report::types::{Field, Shape, Type, TypeId, Types};

/// Crates whose types are containers: they read as themselves.
const CONTAINERS: [&str; 30] = [
    "alloc",
    "arc_swap",
    "arrayvec",
    "bytes",
    "core",
    "crossbeam",
    "crossbeam_channel",
    "crossbeam_deque",
    "crossbeam_epoch",
    "crossbeam_queue",
    "crossbeam_skiplist",
    "crossbeam_utils",
    "dashmap",
    "flume",
    "futures_channel",
    "futures_util",
    "hashbrown",
    "indexmap",
    "lazy_static",
    "lock_api",
    "lru",
    "once_cell",
    "parking_lot",
    "sharded_slab",
    "slab",
    "smallvec",
    "spin",
    "std",
    "thread_local",
    "tokio",
];
/// Deeper types are not looked into.
const DEEPEST: usize = 64;

/// Memory that a pointer leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A value that begins at this offset.
    Value(TypeId, u64),
    /// A row of elements.
    Elements(TypeId),
    /// A hash table of elements.
    Table(TypeId),
    /// Nothing is known of it.
    Unknown,
}

/// A way to the pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPath {
    /// As a person would write it behind the name of the static or block: `.entries[..].page`.
    pub text: String,
    /// The memory that the pointer leads to.
    pub content: Content,
}

/// A block on a path.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    /// The type that it was allocated for, if the symbols name it.
    pub type_name: Option<&'a str>,
    /// Its size.
    pub bytes: u64,
}

/// The way from the beginning of a static of this type to the pointer at an offset. The pointer
/// leads to `next`.
pub fn in_static(
    types: &Types<'_, '_>,
    type_id: TypeId,
    offset: u64,
    next: Block<'_>,
) -> Option<FieldPath> {
    chosen(types, walked(types, type_id, offset, String::new()), next)
}

/// The way from the beginning of a block to the pointer at an offset. `content` is what the pointer
/// to the block tells of it.
pub fn in_block(
    types: &Types<'_, '_>,
    content: Content,
    block: Block<'_>,
    offset: u64,
    next: Block<'_>,
) -> Option<FieldPath> {
    let size = |type_id| types.get(type_id).map_or(0, |found| found.size);
    let by_name =
        block.type_name.map_or(Content::Unknown, |name| named_content(types, name, block.bytes));
    let fits = |content| matches!(content, Content::Value(type_id, start) if start + size(type_id) == block.bytes);
    let content = match content {
        Content::Unknown => by_name,
        // A pointer may be to the first part of a block only.
        Content::Value(..) if !fits(content) && fits(by_name) => by_name,
        content => content,
    };
    let paths = match content {
        Content::Unknown => return None,
        Content::Value(type_id, start) => {
            let found = types.get(type_id)?;
            let offset = offset.checked_sub(start)?;
            if offset >= found.size && is_container(&found) && head(&found.name) == "LeafNode" {
                // An inner node begins with the parts of a leaf. Pointers to other nodes follow.
                let content = Content::Value(type_id, 0);
                return Some(FieldPath { text: String::new(), content });
            }
            walked(types, type_id, offset, String::new())
        }
        Content::Elements(element) => {
            let offset = offset.checked_rem(size(element))?;
            walked(types, element, offset, "[..]".to_owned())
        }
        Content::Table(element) => {
            let found = types.get(element)?;
            let offset = place_in_bucket(offset, block.bytes, found.size)?;
            match &found.shape {
                Shape::Fields(fields) if is_pair(&found) => {
                    let is_set = types.get(fields[1].type_id)?.size == 0;
                    let of_offset = |field: &&Field| {
                        let size = size(field.type_id);
                        (field.offset..field.offset + size).contains(&offset)
                    };
                    let field = fields.iter().find(of_offset)?;
                    let is_key = field.name == "__0" && !is_set;
                    let text = if is_key { ".keys()" } else { "[..]" };
                    walked(types, field.type_id, offset - field.offset, text.to_owned())
                }
                _ => walked(types, element, offset, "[..]".to_owned()),
            }
        }
    };
    chosen(types, paths, next)
}

/// The only way, or the only one to a block of the next one's type. If several are left, their
/// common beginning.
fn chosen(types: &Types<'_, '_>, mut paths: Vec<FieldPath>, next: Block<'_>) -> Option<FieldPath> {
    if paths.iter().any(|path| path.content != Content::Unknown) {
        paths.retain(|path| path.content != Content::Unknown);
    }
    let is_one = |paths: &[FieldPath]| paths.iter().all(|path| *path == paths[0]);
    let fits = |path: &FieldPath| match path.content {
        Content::Value(type_id, 0) => {
            types.get(type_id).is_some_and(|found| found.size == next.bytes)
        }
        _ => false,
    };
    if !is_one(&paths) && paths.iter().any(fits) {
        paths.retain(fits);
    }
    if !is_one(&paths)
        && let Some(wanted) = next.type_name
    {
        let matching: Vec<FieldPath> = paths
            .iter()
            .filter(|path| content_name(types, path.content).as_deref() == Some(inner(wanted)))
            .cloned()
            .collect();
        if !matching.is_empty() {
            paths = matching;
        }
    }
    let first = paths.first()?.clone();
    if is_one(&paths) {
        return Some(first);
    }
    if paths.iter().all(|path| path.text == first.text) {
        return Some(FieldPath { content: Content::Unknown, ..first });
    }
    // Several variants of an enum have a pointer there.
    let common = paths.iter().fold(first.text.as_str(), |common, path| {
        let same = common.bytes().zip(path.text.bytes()).take_while(|(a, b)| a == b).count();
        &common[..same]
    });
    let end = common.rfind(['.', ':', '[']).unwrap_or(0);
    Some(FieldPath {
        text: common[..end].trim_end_matches(':').to_owned(),
        content: Content::Unknown,
    })
}

/// All ways from the beginning of a type to a pointer at an offset.
fn walked(types: &Types<'_, '_>, type_id: TypeId, offset: u64, text: String) -> Vec<FieldPath> {
    let mut walk = Walk { types, paths: Vec::new() };
    walk.enter(type_id, offset, text, Around::default());
    walk.paths
}

/// The types around the present one.
#[derive(Debug, Clone, Copy, Default)]
struct Around {
    /// The memory of the container around it.
    owned: Option<Content>,
    /// Whether that is the inside of a container.
    is_container: bool,
    depth: usize,
}

struct Walk<'a, 'b, 'data> {
    types: &'a Types<'b, 'data>,
    paths: Vec<FieldPath>,
}

impl Walk<'_, '_, '_> {
    fn enter(&mut self, type_id: TypeId, offset: u64, mut text: String, around: Around) {
        let Some(found) = self.types.get(type_id).filter(|_| around.depth < DEEPEST) else {
            return;
        };
        let mut inside = Around { depth: around.depth + 1, ..around };
        match &found.shape {
            Shape::Pointer(behind) if offset == 0 => {
                let behind = behind
                    .filter(|behind| self.types.get(*behind).is_some_and(|behind| behind.size > 0));
                let behind = behind.map(|behind| Content::Value(behind, 0));
                let content = around.owned.or(behind).unwrap_or(Content::Unknown);
                self.paths.push(FieldPath { text, content });
            }
            Shape::Scalar if offset.is_multiple_of(8) && offset < found.size => {
                self.paths.push(FieldPath { text, content: Content::Unknown });
            }
            Shape::Pointer(_) | Shape::Scalar => {}
            Shape::Array(element) => {
                let size = self.types.get(*element).map_or(0, |element| element.size);
                let Some(offset) = offset.checked_rem(size) else { return };
                if !around.is_container {
                    text.push_str("[..]");
                }
                self.enter(*element, offset, text, inside);
            }
            Shape::Fields(fields) => {
                inside.is_container = is_container(&found);
                inside.owned = self.owned(&found).or(around.owned.filter(|_| inside.is_container));
                if let Some(function) = function_of_environment(&found) {
                    text.push_str(&format!(".{function}()"));
                }
                for field in self.at(fields, offset) {
                    let mut text = text.clone();
                    text.push_str(&shown_field(&found, &field.name));
                    self.enter(field.type_id, offset - field.offset, text, inside);
                }
            }
            Shape::Variants(variants) => {
                inside.is_container = is_container(&found);
                let environment = function_of_environment(&found);
                if let Some(function) = &environment {
                    text.push_str(&format!(".{function}()"));
                }
                for variant in self.at(variants, offset) {
                    let mut text = text.clone();
                    if !inside.is_container && environment.is_none() {
                        text.push_str(&format!("::{}", variant.name));
                    }
                    self.enter(variant.type_id, offset - variant.offset, text, inside);
                }
            }
        }
    }

    /// The fields that contain an offset.
    fn at<'f>(&self, fields: &'f [Field], offset: u64) -> Vec<&'f Field> {
        let contains = |field: &&Field| {
            let size = self.types.get(field.type_id).map_or(0, |found| found.size);
            (field.offset..field.offset + size).contains(&offset)
        };
        fields.iter().filter(contains).collect()
    }

    /// The memory that a container owns through a pointer without its type.
    fn owned(&self, found: &Type) -> Option<Content> {
        let parameter =
            |name: &str| found.parameters.iter().find(|one| one.0 == name).map(|one| one.1);
        match head(&found.name) {
            "RawVec" if is_container(found) => parameter("T").map(Content::Elements),
            "RawTable" if is_container(found) => parameter("T").map(Content::Table),
            _ => {
                let Shape::Fields(fields) = &found.shape else { return None };
                let [data, length] = fields.as_slice() else { return None };
                let behind = match &self.types.get(data.type_id)?.shape {
                    Shape::Pointer(behind) => *behind,
                    _ => None,
                };
                let is_slice = data.name == "data_ptr" && length.name == "length";
                behind.filter(|_| is_slice).map(Content::Elements)
            }
        }
    }
}

/// A field as a person would write it; empty inside of a container.
fn shown_field(of: &Type, name: &str) -> String {
    if of.name.starts_with('(') {
        return format!(".{}", name.trim_start_matches("__"));
    }
    if is_fat_pointer(of) {
        return String::new();
    }
    if is_container(of) {
        let is_set = of.name.contains("SetValZST");
        return match (head(&of.name), name) {
            ("LeafNode", "keys") if !is_set => ".keys()",
            ("LeafNode", "keys" | "vals") | ("Node", "element") | ("Block", "slots") => "[..]",
            _ => "",
        }
        .to_owned();
    }
    match name {
        "__awaitee" => ".await".to_owned(),
        // A closure's reference to a variable, or to a field of it.
        name if of.name.starts_with('{') => {
            format!(".{}", name.trim_start_matches("_ref__").replace("__", "."))
        }
        name => format!(".{}", name.trim_start_matches("__")),
    }
}

fn is_fat_pointer(found: &Type) -> bool {
    let Shape::Fields(fields) = &found.shape else { return false };
    matches!(fields.as_slice(), [data, more]
        if matches!((data.name.as_str(), more.name.as_str()),
            ("data_ptr", "length") | ("pointer", "vtable")))
}

/// The function that a closure, or the state of an `async` function, is a part of.
fn function_of_environment(found: &Type) -> Option<&str> {
    let is_environment =
        found.name.starts_with('{') && found.name.contains("_env#") && !is_container(found);
    let function = found.scope.rsplit("::").find(|part| !part.starts_with('{'))?;
    is_environment.then(|| function.split('<').next().unwrap_or(function))
}

/// Whether a type's private fields are not shown.
fn is_container(found: &Type) -> bool {
    found.scope.split("::").next().is_some_and(|library| CONTAINERS.contains(&library))
}

fn is_pair(found: &Rc<Type>) -> bool {
    matches!(&found.shape, Shape::Fields(fields) if fields.len() == 2)
        && found.name.starts_with('(')
}

/// A type's name without generics.
fn head(name: &str) -> &str {
    name.split('<').next().unwrap_or(name)
}

/// The place in an element of `hashbrown`'s table: elements, then a byte for each, then 16 bytes
/// more. The elements end where the bytes begin, at a multiple of 16.
fn place_in_bucket(offset: u64, bytes: u64, size: u64) -> Option<u64> {
    let control = |buckets: u64| (size * buckets).next_multiple_of(16);
    let buckets = (2..48)
        .map(|shift| 1 << shift)
        .find(|buckets| control(*buckets) + *buckets + 16 == bytes)?;
    let first = control(buckets) - size * buckets;
    (offset < control(buckets)).then(|| offset.checked_sub(first)?.checked_rem(size))?
}

/// The content of a block by the name of the type that it was allocated for.
fn named_content(types: &Types<'_, '_>, type_name: &str, bytes: u64) -> Content {
    let Some((owner, inner)) = type_name.split_once('<') else { return Content::Unknown };
    let inner = inner.strip_suffix('>').unwrap_or(inner);
    let found = match owner {
        "Box" if inner.starts_with('[') => {
            types.named(inner.trim_matches(['[', ']']), None).map(Content::Elements)
        }
        "Box" => types.named(inner, Some(bytes)).map(|found| Content::Value(found, 0)),
        "Rc" | "Arc" => types.named(inner, bytes.checked_sub(16)).and_then(|found| {
            // Two counts come first.
            let align = types.get(found)?.align.unwrap_or(8);
            Some(Content::Value(found, 16_u64.next_multiple_of(align.max(1))))
        }),
        "Vec" | "VecDeque" | "BinaryHeap" => types.named(inner, None).map(Content::Elements),
        "HashMap" => types.named(&format!("({inner})"), None).map(Content::Table),
        "HashSet" => types.named(&format!("({inner}, ())"), None).map(Content::Table),
        _ => None,
    };
    found.unwrap_or(Content::Unknown)
}

/// The name of the type that [`named_content`] looks up.
pub fn name_to_look_up(type_name: &str) -> Option<String> {
    let (owner, inner) = type_name.split_once('<')?;
    let inner = inner.strip_suffix('>')?;
    Some(match owner {
        "HashMap" => format!("({inner})"),
        "HashSet" => format!("({inner}, ())"),
        "Box" => inner.trim_matches(['[', ']']).to_owned(),
        _ => inner.to_owned(),
    })
}

/// The type inside of an owner: `demo::Node` for `Rc<demo::Node>`.
fn inner(type_name: &str) -> &str {
    type_name
        .split_once('<')
        .and_then(|(_, inner)| inner.strip_suffix('>'))
        .map_or(type_name, |inner| inner.trim_matches(['[', ']']))
}

/// The name of some content, in the form of [`inner`].
fn content_name(types: &Types<'_, '_>, content: Content) -> Option<String> {
    let (Content::Value(type_id, _) | Content::Elements(type_id) | Content::Table(type_id)) =
        content
    else {
        return None;
    };
    let found = types.get(type_id)?;
    let whole = match &*found.scope {
        "" => short_type(&found.name),
        scope => short_type(&format!("{scope}::{}", found.name)),
    };
    Some(match content {
        Content::Table(_) => whole.trim_matches(['(', ')']).to_owned(),
        _ if whole == "u8" => "String".to_owned(),
        _ if matches!(head(&whole), "RcInner" | "RcBox" | "ArcInner") => inner(&whole).to_owned(),
        _ => whole,
    })
}
