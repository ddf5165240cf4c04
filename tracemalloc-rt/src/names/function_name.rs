//! What a demangled name tells: whose code it is, which path it has without its generics, what type
//! it allocates.
//!
//! Both manglings are read: `<alloc::vec::Vec<u8>>::push` (v0, which says what the generics are)
//! and `alloc::vec::Vec<T,A>::push` (legacy, which does not).

use std::sync::Arc;

use crate::names::symbolizer::{NamedFrame, Symbol};

/// The path without generics: `alloc::vec::Vec::push`; of a trait's method, the path of the type
/// that it is for.
pub fn path(function: &str) -> String {
    let parts = Parts::of(function);
    match parts.self_type {
        Some(self_type) => path(self_type) + &without_generics(parts.rest),
        None => without_generics(parts.rest),
    }
}

/// What calls the body of a function with the attribute `check`.
pub const CHECKED_BODY: &str = "tracemalloc::check::__rust_begin_short_backtrace";

/// In the name of the function of std that calls what a thread was started with.
pub const THREAD_START: &str = "__rust_begin_short_backtrace";

/// Whether a frame is one that tracebacks end at: std's for a thread, the harness's for a test, or,
/// where a thread has not come that far or was started by C, what the C library starts threads
/// with.
pub fn ends_traceback(frame: &NamedFrame) -> bool {
    let path = frame.path();
    path.ends_with(THREAD_START) && path != CHECKED_BODY
        || path.starts_with("std::sys::") && path.ends_with("::thread_start")
        || matches!(path, "start_thread" | "clone" | "clone3" | "__clone3" | "_pthread_start")
        || matches!(path, "main" | "__libc_start_call_main")
}

/// Whether a frame belongs to the tracing allocator.
pub fn is_runtime(frame: &NamedFrame) -> bool {
    let ours = ["tracemalloc::", "tracemalloc_traced::", "__rustc::", "__rust_", "__rg_"];
    ours.iter().any(|ours| frame.path().starts_with(ours))
}

/// Whether a frame belongs to the standard library. One without a file does: it is a generic
/// function of the library that was compiled with the harness, which has no line tables. Crates of
/// the program always have them.
pub fn is_std(symbol: &Symbol) -> bool {
    symbol.file.is_empty() || inside_std(&symbol.file).is_some()
}

/// A file's name from the crate of the standard library on: `alloc/src/vec/mod.rs`,
/// `hashbrown-0.15.4/src/map.rs`.
pub fn inside_std(file: &str) -> Option<&str> {
    if let Some(dependency) = file.strip_prefix("/rust/deps/") {
        return Some(dependency);
    }
    let is_separator = |c| matches!(c, '/' | '\\');
    let after = file
        .strip_prefix("/rustc/")
        .and_then(|rest| rest.split_once(is_separator))
        .map(|(_hash, rest)| rest)
        .or_else(|| file.split_once("/rustlib/src/rust/").map(|(_sysroot, rest)| rest))?;
    after.strip_prefix("library").and_then(|rest| rest.strip_prefix(is_separator))
}

/// The function whose first closure this is the name of.
pub fn function_of_closure(closure: &str) -> Option<&str> {
    closure.strip_suffix("::{closure#0}").or_else(|| closure.strip_suffix("::{{closure}}"))
}

/// Whether a name is that of the first closure in another function.
pub fn is_closure_of(closure: &str, function: &str) -> bool {
    function_of_closure(closure) == Some(function)
}

/// As people write it: `demo::Cache::fill` for `<demo::Cache>::fill::<u8>`, `<demo::Cache as
/// Drop>::drop` for the same with the trait's path.
pub fn pretty(function: &str) -> String {
    let parts = Parts::of(function);
    let rest = without_generics(parts.rest);
    match (parts.self_type, parts.of_trait) {
        (Some(self_type), Some(of_trait)) => {
            format!("<{} as {}>{rest}", short_type(self_type), short_type(of_trait))
        }
        (Some(self_type), None)
            if self_type.starts_with(|c: char| c.is_alphabetic() || c == '_') =>
        {
            short_type(self_type) + &rest
        }
        (Some(self_type), None) => format!("<{}>{rest}", short_type(self_type)),
        (None, _) => rest,
    }
}

/// A static's path in the source, `store::SEEN`, and not where in the code that `thread_local!`
/// makes of it it lies.
pub fn static_path(name: &str) -> &str {
    let path = name.find("::{").map_or(name, |closure| &name[..closure]);
    path.strip_suffix("::__stability::LAZY").unwrap_or(path)
}

/// What the frames of the standard library between the allocator and the program, innermost first,
/// say is allocated: what the outermost of them says that names a type with its generics, or else
/// the outermost that names a type.
pub fn allocated_type(of_std: &[Arc<NamedFrame>]) -> Option<String> {
    // What an iterator or a callback allocates is an element, not the collection that it goes into.
    let calls_back = |frame: &Arc<NamedFrame>| {
        ["::next", "::call_once", "::call_mut", "::call"]
            .iter()
            .any(|method| frame.path().ends_with(method))
    };
    let of_element = of_std.iter().position(calls_back).unwrap_or(of_std.len());
    let types_of = |frames: &[Arc<NamedFrame>]| -> Vec<Allocated> {
        frames.iter().rev().filter_map(|frame| allocated_by(&frame.function)).collect()
    };
    let mut said = types_of(&of_std[..of_element]);
    if said.is_empty() {
        said = types_of(of_std);
    }
    let whole = said.iter().find(|allocated| matches!(allocated, Allocated::Whole(_)));
    whole.or(said.first()).map(|allocated| match allocated {
        Allocated::Whole(type_name) => type_name.clone(),
        Allocated::Head(name) => (*name).to_owned(),
    })
}

/// What one name says is allocated.
enum Allocated {
    /// A type with its generics.
    Whole(String),
    /// A generic type whose generics the name does not tell.
    Head(&'static str),
}

/// Types that own what they allocate.
const OWNERS: [&str; 17] = [
    "alloc::vec::Vec",
    "alloc::string::String",
    "alloc::boxed::Box",
    "alloc::rc::Rc",
    "alloc::sync::Arc",
    "alloc::collections::vec_deque::VecDeque",
    "alloc::collections::linked_list::LinkedList",
    "alloc::collections::binary_heap::BinaryHeap",
    "alloc::collections::btree::map::BTreeMap",
    "alloc::collections::btree::set::BTreeSet",
    "alloc::ffi::c_str::CString",
    "std::collections::hash::map::HashMap",
    "std::collections::hash::set::HashSet",
    "std::ffi::os_str::OsString",
    "std::path::PathBuf",
    "std::io::buffered::bufreader::BufReader",
    "std::io::buffered::bufwriter::BufWriter",
];

fn allocated_by(function: &str) -> Option<Allocated> {
    let parts = Parts::of(function);
    let method = parts.rest.trim_start_matches("::");
    let (name, generics) = method.split_once("::<").unwrap_or((method, ""));
    let generics = generics.strip_suffix('>').unwrap_or(generics);
    if function.starts_with("alloc::vec::from_elem") {
        return Some(match split_top_level(generics).first() {
            Some(element) if !element.is_empty() => {
                Allocated::Whole(format!("Vec<{}>", short_type(element)))
            }
            _ => Allocated::Head("Vec"),
        });
    }
    let candidate = match parts.self_type {
        Some("str") => return Some(Allocated::Whole("String".to_owned())),
        Some(slice)
            if matches!(name, "to_vec" | "to_owned" | "into_vec") && slice.starts_with('[') =>
        {
            let element = slice.trim_start_matches('[').trim_end_matches(']');
            return Some(Allocated::Whole(format!("Vec<{}>", short_type(element))));
        }
        Some(self_type) if owner(self_type).is_some() => self_type,
        // `collect::<Vec<u8>>` is a method of the iterator.
        Some(_) if name == "collect" => generics,
        Some(_) => return None,
        // Legacy mangling: `alloc::vec::Vec<T,A>::push`.
        None => function.rsplit_once("::").map_or(function, |(self_type, _method)| self_type),
    };
    let name = owner(candidate)?;
    let short = short_type(candidate);
    let generic_parameter =
        |argument: &&str| argument.len() == 1 && argument.starts_with(|c: char| c.is_uppercase());
    let arguments =
        short.split_once('<').map_or("", |(_, arguments)| arguments.trim_end_matches('>'));
    Some(match split_top_level(arguments).iter().any(generic_parameter) {
        true => Allocated::Head(name),
        false => Allocated::Whole(short),
    })
}

/// The last segment of an owner's path, where the type is one.
fn owner(type_name: &str) -> Option<&'static str> {
    let head = type_name.split('<').next().unwrap_or_default().trim_end_matches("::");
    let owner = OWNERS.iter().find(|owner| **owner == head)?;
    owner.rsplit("::").next()
}

/// A name taken apart: `<self_type as of_trait>rest`, or all of it in `rest`.
struct Parts<'a> {
    self_type: Option<&'a str>,
    of_trait: Option<&'a str>,
    rest: &'a str,
}

impl<'a> Parts<'a> {
    fn of(function: &'a str) -> Self {
        let whole = Self { self_type: None, of_trait: None, rest: function };
        if !function.starts_with('<') {
            return whole;
        }
        let Some(end) = matching_angle(function) else { return whole };
        let (inner, rest) = (&function[1..end], &function[end + 1..]);
        match split_at_top_level(inner, " as ") {
            Some((self_type, of_trait)) => {
                Self { self_type: Some(self_type), of_trait: Some(of_trait), rest }
            }
            None => Self { self_type: Some(inner), of_trait: None, rest },
        }
    }
}

/// Where the angle bracket that opens `text` is closed.
fn matching_angle(text: &str) -> Option<usize> {
    let mut depth = 0_i32;
    let mut previous = ' ';
    for (index, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if previous != '-' => {
                depth -= 1;
                if depth == 0 {
                    return Some(index);
                }
            }
            _ => {}
        }
        previous = c;
    }
    None
}

/// Splits at the first place outside all brackets.
fn split_at_top_level<'a>(text: &'a str, separator: &str) -> Option<(&'a str, &'a str)> {
    let mut depth = 0_i32;
    let mut previous = ' ';
    for (index, c) in text.char_indices() {
        if depth == 0 && text[index..].starts_with(separator) {
            return Some((&text[..index], &text[index + separator.len()..]));
        }
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' if previous == '-' => {}
            '>' | ')' | ']' => depth -= 1,
            _ => {}
        }
        previous = c;
    }
    None
}

fn split_top_level(arguments: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = arguments;
    while let Some((part, after)) = split_at_top_level(rest, ",") {
        parts.push(part.trim());
        rest = after;
    }
    parts.push(rest.trim());
    parts
}

fn without_generics(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut depth = 0_i32;
    let mut previous = ' ';
    for c in text.chars() {
        match c {
            '<' => depth += 1,
            '>' if previous != '-' && depth > 0 => depth -= 1,
            _ if depth == 0 => out.push(c),
            _ => {}
        }
        previous = c;
    }
    // What is left of a turbofish.
    while let Some(place) = out.find("::::") {
        out.replace_range(place..place + 2, "");
    }
    out.trim_end_matches("::").to_owned()
}

/// A type as people write it: the standard library's without its path, and without the allocator
/// and hasher that it has by default.
fn short_type(type_name: &str) -> String {
    let is_path = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '{' | '}' | '#');
    let mut out = String::with_capacity(type_name.len());
    let mut rest = type_name;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_path(c)).unwrap_or(rest.len());
        let (path, after) = rest.split_at(end);
        let path = path.trim_end_matches("::");
        let of_std = ["alloc::", "core::", "std::", "hashbrown::"]
            .iter()
            .any(|library| path.starts_with(library));
        out.push_str(if of_std { path.rsplit("::").next().unwrap_or(path) } else { path });
        let next = after.chars().next().map_or(0, char::len_utf8);
        out.push_str(&after[..next]);
        rest = &after[next..];
    }
    for default in ["Global", "RandomState"] {
        for with_comma in [format!(", {default}"), format!(",{default}")] {
            out = out.replace(&with_comma, "");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(function: &str) -> Arc<NamedFrame> {
        let symbol =
            Symbol { function: function.to_owned(), file: String::new(), line: 0, column: 0 };
        Arc::new(symbol.into())
    }

    #[test]
    fn paths_have_no_generics() {
        for (name, expected) in [
            ("<alloc::vec::Vec<u8>>::with_capacity", "alloc::vec::Vec::with_capacity"),
            ("alloc::vec::Vec<T,A>::push", "alloc::vec::Vec::push"),
            ("alloc::vec::from_elem::<u8>", "alloc::vec::from_elem"),
            (
                "<std::sync::once::Once>::call_once::<demo::f::{closure#0}>",
                "std::sync::once::Once::call_once",
            ),
            ("<demo::A<fn(u8) -> u8> as core::ops::drop::Drop>::drop", "demo::A::drop"),
            ("<alloc::vec::Vec<std::sync::once::Once>>::push", "alloc::vec::Vec::push"),
            ("demo::tests::x::{closure#0}", "demo::tests::x::{closure#0}"),
            ("<<demo::A as demo::B>::C as demo::D>::e", "demo::A::C::e"),
        ] {
            assert_eq!(path(name), expected, "{name}");
        }
    }

    #[test]
    fn statics_are_named_as_in_the_source() {
        for (name, expected) in [
            ("store::SEEN", "store::SEEN"),
            ("store::KEPT::{constant#0}::{closure#1}::__RUST_STD_INTERNAL_VAL", "store::KEPT"),
            ("store::LOG::__stability::LAZY", "store::LOG"),
        ] {
            assert_eq!(static_path(name), expected);
        }
    }

    #[test]
    fn names_are_pretty() {
        for (name, expected) in [
            ("<demo::cache::Cache>::fill", "demo::cache::Cache::fill"),
            ("<demo::Store<alloc::string::String>>::put::<u8>", "demo::Store<String>::put"),
            ("<demo::A as core::ops::drop::Drop>::drop", "<demo::A as Drop>::drop"),
            ("<[demo::A]>::first", "<[demo::A]>::first"),
            ("demo::run::<u8>::{closure#0}", "demo::run::{closure#0}"),
            ("main", "main"),
        ] {
            assert_eq!(pretty(name), expected, "{name}");
        }
    }

    #[test]
    fn types_are_told_where_the_symbols_tell_them() {
        for (frames, expected) in [
            (&["alloc::alloc::alloc", "<alloc::vec::Vec<u8>>::with_capacity"][..], Some("Vec<u8>")),
            (
                &["<alloc::boxed::Box<demo::Node>>::new", "<alloc::rc::Rc<demo::Node>>::new"],
                Some("Rc<demo::Node>"),
            ),
            (&["alloc::vec::from_elem::<u8>"], Some("Vec<u8>")),
            (&["alloc::vec::Vec<T,A>::push"], Some("Vec")),
            (&["<[u16]>::to_vec"], Some("Vec<u16>")),
            (&["<str as alloc::borrow::ToOwned>::to_owned"], Some("String")),
            (&["<[u8]>::repeat", "<str>::repeat"], Some("String")),
            (
                &["<std::collections::hash::map::HashMap<u32, alloc::string::String>>::insert"],
                Some("HashMap<u32, String>"),
            ),
            (
                &[
                    "<core::ops::range::Range<u8> as core::iter::traits::iterator::Iterator>::collect::<alloc::vec::Vec<u8>>",
                ],
                Some("Vec<u8>"),
            ),
            (
                &["alloc::vec::Vec<T,A>::with_capacity_in", "<alloc::vec::Vec<u8>>::with_capacity"],
                Some("Vec<u8>"),
            ),
            (
                &["<alloc::vec::Vec<u8>>::with_capacity_in", "alloc::vec::Vec<T>::with_capacity"],
                Some("Vec<u8>"),
            ),
            (
                &[
                    "<str as alloc::borrow::ToOwned>::to_owned",
                    "<fn(&str) -> alloc::string::String as core::ops::function::FnOnce<(&str,)>>::call_once",
                    "<alloc::vec::Vec<alloc::string::String> as core::iter::traits::collect::FromIterator<u8>>::from_iter::<I>",
                ],
                Some("String"),
            ),
            (&["alloc::alloc::alloc"], None),
        ] {
            let named: Vec<_> = frames.iter().map(|function| frame(function)).collect();
            assert_eq!(allocated_type(&named).as_deref(), expected, "{frames:?}");
        }
    }

    #[test]
    fn files_of_the_standard_library_are_known() {
        assert_eq!(
            inside_std("/rustc/0123abc/library/alloc/src/vec/mod.rs"),
            Some("alloc/src/vec/mod.rs")
        );
        assert_eq!(
            inside_std("/rust/deps/hashbrown-0.15.4/src/map.rs"),
            Some("hashbrown-0.15.4/src/map.rs")
        );
        assert_eq!(
            inside_std("/home/x/lib/rustlib/src/rust/library/std/src/io/mod.rs"),
            Some("std/src/io/mod.rs")
        );
        assert_eq!(inside_std("/home/x/library/src/lib.rs"), None);
    }
}
