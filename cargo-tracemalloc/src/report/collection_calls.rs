//! Calls of a collection's methods, to see that nothing is ever removed from it.

use std::collections::HashSet;

use tracemalloc::internal::function_name::{method, path, type_argument};

use crate::report::program_calls::ProgramCalls;

/// Collections, without their generics.
const COLLECTIONS: [&str; 8] =
    ["HashMap", "HashSet", "BTreeMap", "BTreeSet", "VecDeque", "BinaryHeap", "LinkedList", "Vec"];
/// Methods that insert.
const INSERTING: [&str; 9] = [
    "insert",
    "push",
    "push_back",
    "push_front",
    "push_mut",
    "entry",
    "extend",
    "extend_from_slice",
    "get_or_insert_with",
];
/// Other methods that remove nothing.
const HARMLESS: [&str; 44] = [
    "new",
    "with_capacity",
    "with_hasher",
    "with_capacity_and_hasher",
    "default",
    "from",
    "from_iter",
    "reserve",
    "len",
    "is_empty",
    "capacity",
    "get",
    "get_mut",
    "get_key_value",
    "get_or_insert",
    "contains",
    "contains_key",
    "iter",
    "iter_mut",
    "keys",
    "values",
    "values_mut",
    "range",
    "first",
    "last",
    "first_key_value",
    "last_key_value",
    "front",
    "back",
    "front_mut",
    "back_mut",
    "peek",
    "index",
    "index_mut",
    "deref",
    "deref_mut",
    "as_slice",
    "as_ref",
    "borrow",
    "fmt",
    "eq",
    "hash",
    "clone",
    "as_ptr",
];
/// Methods that remove. std may call them through a function pointer, so being there is enough.
const REMOVING: [&str; 20] = [
    "remove",
    "remove_entry",
    "remove_item",
    "swap_remove",
    "pop",
    "pop_if",
    "pop_front",
    "pop_back",
    "pop_first",
    "pop_last",
    "clear",
    "retain",
    "retain_mut",
    "drain",
    "truncate",
    "split_off",
    "take",
    "extract_if",
    "append",
    "dedup",
];
/// Functions that replace a whole value.
const REPLACING: [&str; 10] = [
    "take",
    "replace",
    "replace_with",
    "swap",
    "into_inner",
    "set",
    "store",
    "rcu",
    "read",
    "drop_in_place",
];

/// Whether the program inserts into a collection of this type, and never removes. No code outside
/// of the standard library may call a function that could remove from one, or drop one.
pub fn removes_nothing(program: &ProgramCalls, collection: &str) -> bool {
    let head = collection.split('<').next().unwrap_or(collection);
    if !COLLECTIONS.contains(&head) || head == collection {
        return false;
    }
    let is_called = |function| program.callers(function).iter().any(|call| !call.is_of_std());
    let mut inserts = false;
    // A map's entries have names of their own, so all functions are looked at that name the type.
    let entry = collection.replacen(head, "OccupiedEntry", 1).trim_end_matches('>').to_owned();
    for (function, name) in program.functions_with(head) {
        let Some((self_type, method)) = method(&name) else { continue };
        let is_own = self_type == collection;
        if is_own && REMOVING.contains(&method.as_str()) {
            return false;
        }
        if !is_own && !self_type.contains(collection) || !is_called(function) {
            continue;
        }
        if is_own {
            inserts |= INSERTING.contains(&method.as_str());
            if !INSERTING.contains(&method.as_str()) && !HARMLESS.contains(&method.as_str()) {
                return false;
            }
        } else if REPLACING.contains(&method.as_str()) {
            return false;
        }
    }
    let mut entries = program.functions_with("OccupiedEntry");
    let removes_entry = entries.any(|(_, name)| {
        method(&name).is_some_and(|(self_type, method)| {
            self_type.contains(&entry) && method.starts_with("remove")
        })
    });
    inserts && !removes_entry && !is_replaced(program, collection)
}

/// Whether code outside of the standard library drops, takes or replaces such a collection, or a
/// value that has one.
fn is_replaced(program: &ProgramCalls, collection: &str) -> bool {
    let drops: Vec<_> = program
        .functions_with("drop_in_place")
        .filter(|(_, name)| name.starts_with("core::ptr::drop_in_place::<"))
        .collect();
    // The types whose drop leads to that of the collection.
    let mut types: HashSet<String> = HashSet::from([collection.to_owned()]);
    loop {
        let before = types.len();
        for (function, name) in &drops {
            if !type_argument(name).is_some_and(|dropped| types.contains(&dropped)) {
                continue;
            }
            for caller in program.callers(function) {
                if !caller.is_of_std() {
                    return true;
                }
                if caller.function.starts_with("core::ptr::drop_in_place::<") {
                    types.extend(type_argument(&caller.function));
                }
            }
        }
        if types.len() == before {
            break;
        }
    }
    REPLACING.iter().any(|replacing| {
        let mut functions = program.functions_with(replacing);
        functions.any(|(function, name)| {
            let is_of_std = || program.callers(function).iter().all(|caller| caller.is_of_std());
            let replaces = match path(&name).as_str() {
                path if path.starts_with("core::mem::") => true,
                path if path.starts_with("core::ptr::") && *replacing != "drop_in_place" => {
                    !is_of_std()
                }
                _ => false,
            };
            replaces && type_argument(&name).is_some_and(|replaced| types.contains(&replaced))
        })
    })
}
