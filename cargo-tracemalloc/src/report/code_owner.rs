//! The owner of a frame's code: the workspace, the test itself, or others.

use std::collections::HashSet;

use cargo_metadata::semver::Version;
use tracemalloc_harness::{DOCTEST_CRATE, FrameEntry};

/// Crates of the standard library, as the first part of a file's name. The crate std contains the
/// files of `backtrace`.
const STD: [&str; 6] = ["std", "core", "alloc", "test", "proc_macro", "backtrace"];

/// Whether a frame's code is of the workspace.
pub fn is_of_workspace(frame: &FrameEntry) -> bool {
    let file = frame.file.replace('\\', "/");
    let Some((first, _)) = file.split_once('/') else { return file.ends_with(".rs") };
    // An absolute path is of no known package.
    let is_absolute = first.is_empty() || first.ends_with(':');
    // rustdoc names files itself.
    let path = frame.function.strip_prefix(DOCTEST_CRATE);
    let is_of_doctest = path.is_some_and(|path| path.starts_with("::"));
    !is_absolute && (is_of_doctest || !looks_foreign(&file))
}

/// Whether a file's name is like those of a dependency or of the standard library. A member's
/// directory with such a name is `./core` in the report, so that its files count as the
/// workspace's.
pub fn looks_foreign(file: &str) -> bool {
    let mut parts = file.split('/');
    let (first, second) = (parts.next().unwrap_or_default(), parts.next());
    is_dependency(first) || STD.contains(&first) && second == Some("src")
}

/// Whether a directory is named like a dependency: `serde_json-1.0.154`.
fn is_dependency(directory: &str) -> bool {
    let mut dashes = directory.match_indices('-');
    dashes.any(|(dash, _)| Version::parse(&directory[dash + 1..]).is_ok())
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
            ("app_core::fill", "./core/src/lib.rs"),
            ("app_core::fill", "crates/core/src/lib.rs"),
            ("<app_core::Page as Clone>::clone", "./core/src/clone.rs"),
            ("shared::fill", "../shared/src/lib.rs"),
            ("main", "build.rs"),
            ("it::fills", "test/it.rs"),
            ("doctest::main", "core/src/lib.rs"),
            ("app::fill", "./app-1.0.0/src/lib.rs"),
            ("x::y", "crates/no-3d/src/lib.rs"),
        ] {
            assert!(is_of_workspace(&frame(function, file)), "{file}");
        }
        for (function, file) in [
            ("serde_json::de::from_str", "serde_json-1.0.154/src/de.rs"),
            ("core::iter::next", "core/src/iter/mod.rs"),
            ("<demo::Page as Clone>::clone", "core/src/clone.rs"),
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
