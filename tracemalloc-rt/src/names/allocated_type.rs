//! The type that is allocated, as the names of the standard library's frames tell it.

use std::sync::Arc;

use crate::names::function_name::{Parts, short_type, split_top_level};
use crate::names::named_frame::NamedFrame;

/// The type that is allocated, by the frames of the standard library between the allocator and the
/// program, innermost first. The outermost frame that names a type with its generics decides; if
/// there is none, the outermost that names a type.
pub fn allocated_type(of_std: &[Arc<NamedFrame>]) -> Option<String> {
    // An iterator or a callback allocates an element, not the collection that it goes into.
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

/// The type in one name.
enum Allocated {
    /// A type with its generics.
    Whole(String),
    /// A generic type whose generics are not in the name.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::symbol::Symbol;

    fn frame(function: &str) -> Arc<NamedFrame> {
        let symbol =
            Symbol { function: function.to_owned(), file: String::new(), line: 0, column: 0 };
        Arc::new(symbol.into())
    }

    #[test]
    fn types_are_named_if_the_symbols_have_them() {
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
}
