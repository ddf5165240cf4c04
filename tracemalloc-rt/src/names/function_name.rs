//! A demangled name taken apart: its path without generics, and the name as people write it.
//!
//! It reads both manglings: `<alloc::vec::Vec<u8>>::push` (v0, which says what the generics are)
//! and `alloc::vec::Vec<T,A>::push` (legacy, which does not).

/// The path without generics: `alloc::vec::Vec::push`. For a trait's method, the path of the type
/// that implements it.
pub fn path(function: &str) -> String {
    let parts = Parts::of(function);
    match parts.self_type {
        Some(self_type) => path(self_type) + &without_generics(parts.rest),
        None => without_generics(parts.rest),
    }
}

/// The end of the name of std's first function of a thread, which calls the thread's own function.
pub const THREAD_START: &str = "__rust_begin_short_backtrace";

/// The crate that a function belongs to: that of the type or trait that it is a method of, or of
/// its path. `None` if the name tells of no crate, as that of a C function.
pub fn crate_name(function: &str) -> Option<&str> {
    let parts = Parts::of(function);
    let Some(self_type) = parts.self_type else { return first_segment(parts.rest) };
    let own = if self_type.starts_with('<') {
        crate_name(self_type)
    } else {
        first_segment(self_type.trim_start_matches(['&', '[', '(']))
    };
    // The self type of `<u8 as alloc::vec::spec_from_elem::SpecFromElem>::from_elem` has no crate.
    own.or_else(|| first_segment(parts.of_trait?))
}

/// The library that a function of C is named after: `libz.so.1` of `libz.so.1!deflateInit_`.
pub fn library(function: &str) -> Option<&str> {
    let (library, _) = function.split_once('!')?;
    let is_plain = |c: char| !matches!(c, '<' | '(' | '[' | ':' | ' ');
    (library.contains(".so") && library.chars().all(is_plain)).then_some(library)
}

fn first_segment(path: &str) -> Option<&str> {
    let (first, _) = path.split_once("::")?;
    first.chars().all(|c| c.is_alphanumeric() || c == '_').then_some(first)
}

/// The name of the function that has this name's first closure.
pub fn function_of_closure(closure: &str) -> Option<&str> {
    closure.strip_suffix("::{closure#0}").or_else(|| closure.strip_suffix("::{{closure}}"))
}

/// Whether a name is that of the first closure of a function.
pub fn is_closure_of(closure: &str, function: &str) -> bool {
    function_of_closure(closure) == Some(function)
}

/// The type that a function is a method of, as people write it, and the method's name: `Vec<u8>`
/// and `push`.
pub fn method(function: &str) -> Option<(String, String)> {
    let parts = Parts::of(function);
    let self_type = short_type(parts.self_type?);
    let rest = without_generics(parts.rest);
    Some((self_type, rest.trim_start_matches("::").to_owned()))
}

/// The first type argument of a function, as people write it: `Vec<u8>` for
/// `core::mem::forget::<alloc::vec::Vec<u8>>`.
pub fn type_argument(function: &str) -> Option<String> {
    let start = function.rfind("::<").filter(|_| function.ends_with('>'))?;
    let arguments = match function.find("::<") {
        // `f::<a::B<C>>` has one list, and `A::<B>::f::<C>` two.
        Some(first)
            if matching_angle(&function[first + 2..]) == Some(function.len() - first - 3) =>
        {
            &function[first + 3..function.len() - 1]
        }
        _ => &function[start + 3..function.len() - 1],
    };
    split_top_level(arguments).first().map(|first| short_type(first))
}

/// The name as people write it: `demo::Cache::fill` for `<demo::Cache>::fill::<u8>`, and
/// `<demo::Cache as Drop>::drop` for the same with the trait's path.
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

/// A static's path in the source, `store::SEEN`, without the path inside the code that
/// `thread_local!` expands to.
pub fn static_path(name: &str) -> &str {
    let path = without_part(name);
    let path = path.find("::{").map_or(path, |closure| &path[..closure]);
    path.strip_suffix("::__stability::LAZY").unwrap_or(path)
}

/// The name without the suffixes of the optimizer, which splits a static into `LOGGER.0` and
/// `LOGGER.1`, or moves it as `LOGGER.llvm.123`.
fn without_part(name: &str) -> &str {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut rest = name;
    while let Some((path, _)) = rest.rsplit_once('.').filter(|(_, part)| is_number(part)) {
        rest = path.strip_suffix(".llvm").unwrap_or(path);
    }
    rest
}

/// The parts of a name: `<self_type as of_trait>rest`, or all of it in `rest`.
pub(super) struct Parts<'a> {
    pub(super) self_type: Option<&'a str>,
    pub(super) of_trait: Option<&'a str>,
    pub(super) rest: &'a str,
}

impl<'a> Parts<'a> {
    pub(super) fn of(function: &'a str) -> Self {
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

/// The index of the bracket that closes the angle bracket at the beginning of `text`.
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

/// Splits a text at the first separator outside all brackets.
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

/// The arguments of a list, split at the commas outside all brackets.
pub(super) fn split_top_level(arguments: &str) -> Vec<&str> {
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
    // The rest of a turbofish.
    while let Some(place) = out.find("::::") {
        out.replace_range(place..place + 2, "");
    }
    out.trim_end_matches("::").to_owned()
}

/// A type as people write it. A type of the standard library has no path, and no default allocator
/// or hasher.
pub fn short_type(type_name: &str) -> String {
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
    fn functions_belong_to_the_crate_of_their_type_or_trait() {
        for (name, expected) in [
            ("demo::cache::fill::<u8>", Some("demo")),
            ("<demo::Page as core::clone::Clone>::clone", Some("demo")),
            ("<&demo::Page as core::fmt::Debug>::fmt", Some("demo")),
            ("<[demo::Page]>::first", Some("demo")),
            ("<<demo::A as demo::B>::C as core::clone::Clone>::clone", Some("demo")),
            ("<alloc::vec::Vec<demo::Page>>::push", Some("alloc")),
            ("<u8 as alloc::vec::spec_from_elem::SpecFromElem>::from_elem", Some("alloc")),
            ("<T as core::convert::Into<U>>::into", Some("core")),
            ("<[T]>::to_vec", None),
            ("malloc", None),
            ("", None),
        ] {
            assert_eq!(crate_name(name), expected, "{name}");
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
    fn a_static_that_the_optimizer_has_split_keeps_its_name() {
        for (name, expected) in [
            ("log::LOGGER.0", "log::LOGGER"),
            ("log::LOGGER.0.1", "log::LOGGER"),
            ("log::LOGGER.llvm.1234", "log::LOGGER"),
            ("log::LOGGER.0.llvm.1234", "log::LOGGER"),
            ("demo::fill::SEEN.2", "demo::fill::SEEN"),
            ("demo::SEEN", "demo::SEEN"),
            ("x86.table", "x86.table"),
        ] {
            assert_eq!(static_path(name), expected);
        }
    }

    #[test]
    fn methods_and_type_arguments_are_as_people_write_them() {
        let vec = "alloc::vec::Vec<alloc::string::String>";
        assert_eq!(
            method(&format!("<{vec}>::push")),
            Some(("Vec<String>".to_owned(), "push".to_owned()))
        );
        assert_eq!(method("core::mem::forget::<u8>"), None);
        for (name, expected) in [
            (format!("core::mem::forget::<{vec}>"), Some("Vec<String>")),
            (
                "core::ptr::drop_in_place::<std::sync::Mutex<[u8; 4]>>".to_owned(),
                Some("Mutex<[u8; 4]>"),
            ),
            ("core::mem::swap::<demo::A<u8>, demo::B>".to_owned(), Some("demo::A<u8>")),
            ("demo::f".to_owned(), None),
        ] {
            assert_eq!(type_argument(&name).as_deref(), expected, "{name}");
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
}
