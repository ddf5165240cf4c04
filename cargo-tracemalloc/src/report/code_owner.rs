//! The owner of a frame's code: the workspace, the test itself, or others.

use std::collections::HashSet;

use tracemalloc::internal::function_name;
use tracemalloc_harness::FrameEntry;

/// Crates of the standard library, as the first part of a file's name. The crate std contains the
/// files of `backtrace`.
const STD: [&str; 6] = ["std", "core", "alloc", "test", "proc_macro", "backtrace"];

/// Modules of the standard library whose functions are methods of other crates' types.
const MODULES_OF_STD: [&str; 28] = [
    "any",
    "array",
    "borrow",
    "boxed",
    "cell",
    "clone",
    "cmp",
    "collections",
    "convert",
    "default",
    "fmt",
    "future",
    "hash",
    "io",
    "iter",
    "mem",
    "num",
    "ops",
    "option",
    "panic",
    "pin",
    "rc",
    "result",
    "slice",
    "str",
    "string",
    "sync",
    "vec",
];

/// Whether a frame's code is of the workspace.
pub fn is_of_workspace(frame: &FrameEntry) -> bool {
    let file = frame.file.replace('\\', "/");
    let Some((first, _)) = file.split_once('/') else { return file.ends_with(".rs") };
    // An absolute path is of no known package.
    let is_absolute = first.is_empty() || first.ends_with(':');
    !is_absolute && !is_dependency(first) && !is_std(&file, &frame.function)
}

/// Whether a directory is named like a dependency: `serde_json-1.0.154`.
fn is_dependency(directory: &str) -> bool {
    directory.match_indices('-').any(|(dash, _)| {
        let mut numbers = directory[dash + 1..].splitn(3, '.');
        let is_number = |part: Option<&str>| {
            part.is_some_and(|part| part.starts_with(|first: char| first.is_ascii_digit()))
        };
        is_number(numbers.next()) && is_number(numbers.next()) && is_number(numbers.next())
    })
}

/// Whether a frame is the standard library's. A package of the workspace may lie in `core/`.
fn is_std(file: &str, function: &str) -> bool {
    let mut parts = file.split(['/', '.']);
    let (of_crate, src, module) = (parts.next(), parts.next(), parts.next());
    of_crate.is_some_and(|of_crate| STD.contains(&of_crate))
        && src == Some("src")
        && match function_name::crate_name(function) {
            // A method of a trait goes by the type that implements it, in whichever crate the code
            // is.
            Some(_) if function.starts_with('<') => {
                module.is_some_and(|module| MODULES_OF_STD.contains(&module))
            }
            // A type of the standard library goes without its path: `Global::alloc`.
            of_crate => of_crate.is_none_or(|of_crate| {
                STD.contains(&of_crate) || of_crate.starts_with(char::is_uppercase)
            }),
        }
}

/// Whether a crate is one of the standard library.
pub fn is_crate_of_std(name: &str) -> bool {
    STD.contains(&name) || name == "hashbrown"
}

/// Whether a function is one of these tests, or code inside it such as a closure.
pub fn is_of_test(function: &str, crate_name: &str, tests: &HashSet<&str>) -> bool {
    let path = function.trim_start_matches('<');
    let Some(path) = path.strip_prefix(crate_name).and_then(|path| path.strip_prefix("::")) else {
        return false;
    };
    let mut ends = path.match_indices("::").map(|(end, _)| end).chain([path.len()]);
    ends.any(|end| tests.contains(&path[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(function: &str, file: &str) -> FrameEntry {
        FrameEntry { function: function.to_owned(), file: file.to_owned(), line: 1, column: 1 }
    }

    #[test]
    fn files_tell_whose_code_it_is() {
        for (function, file) in [
            ("demo::fill", "src/lib.rs"),
            ("app_core::fill", "core/src/lib.rs"),
            ("traces::fill", "backtrace/src/lib.rs"),
            ("shared::fill", "../shared/src/lib.rs"),
            ("<app_core::Page as Clone>::clone", "core/src/page.rs"),
            ("main", "build.rs"),
            ("x::y", "crates/no-3d/src/lib.rs"),
        ] {
            assert!(is_of_workspace(&frame(function, file)), "{file}");
        }
        for (function, file) in [
            ("serde_json::de::from_str", "serde_json-1.0.154/src/de.rs"),
            ("core::iter::next", "core/src/iter/mod.rs"),
            ("<T as core::clone::Clone>::clone", "hashbrown-0.15.4/src/map.rs"),
            ("<&t::prop::{closure#1} as Fn<(u64,)>>::call", "core/src/ops/function.rs"),
            ("Global::alloc_impl", "alloc/src/alloc.rs"),
            ("Mapping::new_debug", "backtrace/src/symbolize/gimli/elf.rs"),
            ("std::backtrace_rs::resolve", "backtrace/src/symbolize/mod.rs"),
            ("Entry<u32, String>::or_insert_with", "alloc/src/collections/btree/map/entry.rs"),
            ("", "<unknown>"),
            ("malloc", "/usr/src/malloc.c"),
        ] {
            assert!(!is_of_workspace(&frame(function, file)), "{file}");
        }
    }

    #[test]
    fn closures_of_a_test_are_its_own() {
        let tests = HashSet::from(["tests::fills", "tests::empties"]);
        let is_own = |function| is_of_test(function, "demo", &tests);
        assert!(is_own("demo::tests::fills"));
        assert!(is_own("demo::tests::fills::{closure#0}"));
        assert!(is_own("demo::tests::empties"));
        assert!(is_own("<demo::tests::fills::Local as Clone>::clone"));
        assert!(!is_own("demo::tests::fills_more"));
        assert!(!is_own("demo::fills"));
    }
}
