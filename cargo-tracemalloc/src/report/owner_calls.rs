//! Calls that give up an owner without dropping it, and calls that take one back.

use tracemalloc::internal::function_name::{method, pretty, type_argument};
use tracemalloc_harness::FrameEntry;

use crate::report::code_owner::is_of_workspace;
use crate::report::program_calls::{Caller, ProgramCalls};

/// A call that gives up an owner.
pub struct Giver {
    /// The function that is called: `mem::forget`, `Box::leak`.
    pub function: String,
    /// The call.
    pub caller: Caller,
    /// Whether the owner stays inside another, as in `ManuallyDrop::new`.
    pub keeps_inside: bool,
}

/// Functions that give up an owner, by their names in symbols.
const GIVERS: [&str; 6] = ["forget", "leak", "into_raw", "into_raw_parts", "into_non_null", "new"];
/// Functions that take it back. std may call them through a function pointer, so being there is
/// enough.
const TAKERS: [&str; 4] = ["from_raw", "from_raw_parts", "from_non_null", "decrement_strong_count"];
/// Functions that take it back if other code than std calls them.
const TAKERS_OF_PROGRAM: [&str; 6] =
    ["from_raw_in", "from_raw_parts_in", "drop", "take", "into_inner", "read"];

/// The call that gives up a value of this type, in a function that is on the way to its
/// allocation. `None` if there is none, or if some code takes such a value back.
pub fn giver(program: &ProgramCalls, type_name: &str, traceback: &[FrameEntry]) -> Option<Giver> {
    let owners = same_owners(type_name);
    let is_owner = |name: &str| owners.iter().any(|owner| owner == name);
    if is_taken_back(program, is_owner) {
        return None;
    }
    for name in GIVERS {
        for (function, demangled) in program.functions_with(name) {
            let Some(called) = gives_up(&demangled, name, is_owner) else { continue };
            let mut callers = program.callers(function).into_iter();
            let caller = callers.find(|caller| {
                let caller = without_closures(&pretty(&caller.function)).to_owned();
                let is_caller = |frame: &&FrameEntry| without_closures(&frame.function) == caller;
                traceback.iter().any(|frame| is_of_workspace(frame) && is_caller(&frame))
            });
            if let Some(caller) = caller {
                return Some(Giver { function: called, caller, keeps_inside: name == "new" });
            }
        }
    }
    None
}

/// The name for people of a function that gives up one of the owners.
fn gives_up(demangled: &str, name: &str, is_owner: impl Fn(&str) -> bool) -> Option<String> {
    if demangled.starts_with("core::mem::forget::<") {
        return (name == "forget" && is_owner(&type_argument(demangled)?))
            .then(|| "mem::forget".to_owned());
    }
    let (owner, method) = method(demangled)?;
    if method != name {
        return None;
    }
    if name == "new" {
        let inside = owner.strip_prefix("ManuallyDrop<")?.strip_suffix('>')?;
        return is_owner(inside).then(|| "ManuallyDrop::new".to_owned());
    }
    let head = owner.split('<').next().unwrap_or(&owner);
    (name != "forget" && is_owner(&owner)).then(|| format!("{head}::{name}"))
}

/// Whether the program takes back an owner, as far as its code tells.
fn is_taken_back(program: &ProgramCalls, is_owner: impl Fn(&str) -> bool) -> bool {
    let by_any = TAKERS.iter().any(|name| {
        program.functions_with(name).any(|(_, demangled)| takes(&demangled, name, &is_owner))
    });
    by_any
        || TAKERS_OF_PROGRAM.iter().any(|name| {
            let mut functions = program.functions_with(name);
            functions.any(|(function, demangled)| {
                takes(&demangled, name, &is_owner)
                    && program.callers(function).iter().any(|caller| !caller.is_of_std())
            })
        })
}

/// Whether a function of this name takes back an owner.
fn takes(demangled: &str, name: &str, is_owner: impl Fn(&str) -> bool) -> bool {
    if name == "read" {
        return demangled.starts_with("core::ptr::")
            && type_argument(demangled).is_some_and(|read| is_owner(&read));
    }
    let Some((owner, method)) = method(demangled) else { return false };
    let inside = owner.strip_prefix("ManuallyDrop<").and_then(|inside| inside.strip_suffix('>'));
    method == name
        && match inside {
            Some(inside) => is_owner(inside),
            None => !["drop", "take", "into_inner"].contains(&name) && is_owner(&owner),
        }
}

/// The owners that the memory of a type passes to without being copied.
fn same_owners(type_name: &str) -> Vec<String> {
    let mut owners = vec![type_name.to_owned()];
    let inside = |head: &str| type_name.strip_prefix(head)?.strip_suffix('>');
    if let Some(element) = inside("Vec<") {
        owners.push(format!("Box<[{element}]>"));
    }
    // `vec![1, 2, 3]` allocates an array.
    let array = inside("Box<[").and_then(|array| array.strip_suffix(']')?.rsplit_once("; "));
    if let Some((element, _)) = array {
        owners.extend([format!("Vec<{element}>"), format!("Box<[{element}]>")]);
    }
    if type_name == "String" {
        owners.extend(["Box<str>", "Vec<u8>", "Box<[u8]>", "CString"].map(str::to_owned));
    }
    owners
}

/// The name of the function that has a closure.
fn without_closures(function: &str) -> &str {
    function.find("::{closure").map_or(function, |start| &function[..start])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_symbols_tell_what_is_given_up() {
        let is_owner = |name: &str| ["Vec<String>", "Box<demo::Node>"].contains(&name);
        for (symbol, name, expected) in [
            (
                "core::mem::forget::<alloc::vec::Vec<alloc::string::String>>",
                "forget",
                Some("mem::forget"),
            ),
            ("core::mem::forget::<alloc::vec::Vec<u8>>", "forget", None),
            ("<alloc::boxed::Box<demo::Node>>::leak", "leak", Some("Box::leak")),
            ("<alloc::boxed::Box<demo::Node>>::into_raw", "into_raw", Some("Box::into_raw")),
            ("<alloc::boxed::Box<demo::Node>>::into_raw_with_allocator", "into_raw", None),
            ("<demo::Node>::leak", "leak", None),
            (
                "<core::mem::manually_drop::ManuallyDrop<alloc::boxed::Box<demo::Node>>>::new",
                "new",
                Some("ManuallyDrop::new"),
            ),
            ("<alloc::boxed::Box<demo::Node>>::new", "new", None),
        ] {
            assert_eq!(gives_up(symbol, name, is_owner).as_deref(), expected, "{symbol}");
        }
    }

    #[test]
    fn names_of_symbols_tell_what_is_taken_back() {
        let is_owner = |name: &str| ["Vec<u8>", "Box<demo::Node>"].contains(&name);
        for (symbol, name, expected) in [
            ("<alloc::boxed::Box<demo::Node>>::from_raw", "from_raw", true),
            ("<alloc::vec::Vec<u8>>::from_raw_parts", "from_raw_parts", true),
            ("<alloc::vec::Vec<u16>>::from_raw_parts", "from_raw_parts", false),
            ("<alloc::vec::Vec<u8> as core::ops::drop::Drop>::drop", "drop", false),
            ("<core::mem::manually_drop::ManuallyDrop<alloc::vec::Vec<u8>>>::drop", "drop", true),
            ("core::ptr::read::<alloc::vec::Vec<u8>>", "read", true),
        ] {
            assert_eq!(takes(symbol, name, is_owner), expected, "{symbol}");
        }
    }

    #[test]
    fn memory_of_a_vector_may_be_given_up_as_a_box() {
        assert_eq!(same_owners("Vec<u8>"), ["Vec<u8>", "Box<[u8]>"]);
        assert_eq!(same_owners("Box<[u8; 3]>"), ["Box<[u8; 3]>", "Vec<u8>", "Box<[u8]>"]);
        assert_eq!(same_owners("Box<demo::Node>"), ["Box<demo::Node>"]);
    }
}
