//! The origin of a frame: the tracing allocator, the standard library, or the program.
//!
//! A file tells best. Without debug information there is none, and the name has to do. With
//! `debug = "line-tables-only"` it is the other way round: a name is bare there, `clone` for
//! `<demo::Page as Clone>::clone`, and only the file tells.

use crate::names::function_name::{self, THREAD_START};
use crate::names::named_frame::NamedFrame;

/// The function that calls the body of a function with the attribute `check`.
const CHECKED_BODY: &str = "tracemalloc::check::__rust_begin_short_backtrace";
/// The function that calls the code that is given to a check.
const MEASURED_CODE: &str = "tracemalloc::check::measured_code";

/// Crates whose functions are not the program's, for functions without a file: the standard
/// library's, and those that `cargo tracemalloc` injects.
const NOT_OF_PROGRAM: [&str; 13] = [
    "std",
    "core",
    "alloc",
    "test",
    "proc_macro",
    "hashbrown",
    "compiler_builtins",
    "__rustc",
    "tracemalloc",
    "tracemalloc_harness",
    "tracemalloc_interposed",
    "tracemalloc_program",
    "tracemalloc_traced",
];

/// Whether tracebacks end at this frame: std's first function of a thread, or the harness's of a
/// test. If a thread has not come that far, or C started it, it is the C library's first function.
///
/// The C library's functions have names that a program may use too. So such a frame ends a
/// traceback only if it is physical, which an inlined call is not, and only if it has no file.
pub fn ends_traceback(frame: &NamedFrame, is_physical: bool) -> bool {
    let path = frame.path();
    path.ends_with(THREAD_START) && !is_checked_body(frame)
        || path.starts_with("std::sys::") && path.ends_with("::thread_start")
        || is_physical && is_of_c_library(&frame.file) && starts_threads_or_main(path)
}

/// Whether a name is that of one of C's functions in which a thread or a program begins.
fn starts_threads_or_main(path: &str) -> bool {
    matches!(path, "start_thread" | "clone" | "clone3" | "__clone3" | "_pthread_start")
        || matches!(path, "main" | "__libc_start_call_main")
}

/// Whether a function with such a file may be the C library's. It mostly has no debug information;
/// glibc's, where it is installed, has paths such as `./nptl/pthread_create.c`.
fn is_of_c_library(file: &str) -> bool {
    let of_glibc = ["nptl/", "sysdeps/", "csu/"];
    file.is_empty() || !file.ends_with(".rs") && of_glibc.iter().any(|part| file.contains(part))
}

/// Whether a frame calls the body of a function with the attribute `check`.
pub fn is_checked_body(frame: &NamedFrame) -> bool {
    is_own(frame, CHECKED_BODY)
}

/// Whether a frame calls the code that is given to a check.
pub fn is_measured_code(frame: &NamedFrame) -> bool {
    is_own(frame, MEASURED_CODE)
}

/// Whether a frame is this function of ours, by its path or its bare name.
fn is_own(frame: &NamedFrame, path: &str) -> bool {
    let bare = path.rsplit("::").next();
    frame.path() == path || bare == Some(frame.path()) && is_own_file(&frame.file)
}

/// Whether a frame belongs to the tracing allocator.
pub fn is_runtime(frame: &NamedFrame) -> bool {
    let ours = ["tracemalloc::", "tracemalloc_traced::", "__rustc::", "__rust_", "__rg_"];
    let path = frame.path();
    ours.iter().any(|ours| path.starts_with(ours))
        || !path.contains("::") && is_own_file(&frame.file)
}

/// Whether a file is one of this crate's sources.
fn is_own_file(file: &str) -> bool {
    const CRATE: &str = "tracemalloc-rt";
    let mut places = file.match_indices(CRATE).map(|(index, _)| &file[index + CRATE.len()..]);
    places.any(|rest| {
        let version = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-');
        let rest = rest.trim_start_matches(version);
        rest.starts_with("/src/") || rest.starts_with("\\src\\")
    })
}

/// The directory of C++'s standard library.
const OF_CPP: &str = "/include/c++/";

/// Whether a frame belongs to the standard library, or to nothing that the program could name. A
/// frame without a file is judged by its function's crate.
pub fn is_std(frame: &NamedFrame) -> bool {
    if !frame.file.is_empty() {
        return inside_std(&frame.file).is_some() || frame.file.contains(OF_CPP);
    }
    if function_name::library(&frame.function).is_some() {
        return false;
    }
    // The function that the compiler writes for a call through `dyn FnOnce` is a method of the
    // closure.
    let is_shim = frame.function.contains(" as core::ops::function::Fn");
    let name = function_name::crate_name(&frame.function);
    is_shim || name.is_none_or(|name| NOT_OF_PROGRAM.contains(&name))
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
        .or_else(|| file.split_once("/rustlib/src/rust/").map(|(_sysroot, rest)| rest))
        .or_else(|| after_rustc_sources(file))?;
    after.strip_prefix("library").and_then(|rest| rest.strip_prefix(is_separator))
}

/// The rest of a file's name after the directory of rustc's sources. Distributions build Rust
/// themselves, and keep its path: `/usr/src/rustc-1.85.0/library/core/src/ops/function.rs`.
fn after_rustc_sources(file: &str) -> Option<&str> {
    let (_, rest) = file.split_once("/rustc-")?;
    let (version, rest) = rest.split_once('/')?;
    version.starts_with(|first: char| first.is_ascii_digit()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::symbol::Symbol;

    fn frame(function: &str, file: &str) -> NamedFrame {
        let (function, file) = (function.to_owned(), file.to_owned());
        Symbol { function, file, line: 1, column: 1 }.into()
    }

    #[test]
    fn only_physical_frames_of_c_end_a_traceback() {
        let ends =
            |function, file, is_physical| ends_traceback(&frame(function, file), is_physical);
        for function in ["main", "clone", "start_thread"] {
            assert!(ends(function, "", true), "{function}");
            assert!(!ends(function, "", false), "{function}: inlined");
            assert!(!ends(function, "/demo/src/main.rs", true), "{function}: of the program");
            assert!(!ends(function, "/demo/src/main.rs", false), "{function}: of the program");
        }
        assert!(ends("start_thread", "./nptl/pthread_create.c", true));
        assert!(!ends("clone", "/demo/src/node.c", true));
        assert!(ends("demo::main::__rust_begin_short_backtrace", "", false));
    }

    #[test]
    fn a_check_does_not_end_a_traceback_whatever_is_known_of_it() {
        let own =
            "/home/x/.cargo/registry/src/index.crates.io-1/tracemalloc-rt-0.1.0/src/check/mod.rs";
        let std = "/rustc/0123abc/library/std/src/sys/backtrace.rs";
        let bare = "__rust_begin_short_backtrace";
        for (function, file, is_check) in [
            (CHECKED_BODY, own, true),
            (CHECKED_BODY, "", true),
            (bare, own, true),
            (bare, std, false),
        ] {
            let frame = frame(function, file);
            assert_eq!(is_checked_body(&frame), is_check, "{function} {file}");
            assert_eq!(ends_traceback(&frame, true), !is_check, "{function} {file}");
        }
    }

    #[test]
    fn bare_names_are_ours_by_their_file() {
        assert!(is_runtime(&frame("track", "/crates/tracemalloc-rt/src/bridge/table.rs")));
        assert!(is_runtime(&frame("track", "tracemalloc-rt-0.1.0/src/bridge/table.rs")));
        assert!(!is_runtime(&frame("track", "/crates/tracemalloc-rt/tests/live.rs")));
        assert!(!is_runtime(&frame("track", "/demo/src/track.rs")));
    }

    #[test]
    fn frames_without_a_file_are_known_by_their_names() {
        for (function, expected) in [
            ("alloc::alloc::alloc", true),
            ("<alloc::vec::Vec<demo::Page>>::push", true),
            ("<u8 as alloc::vec::spec_from_elem::SpecFromElem>::from_elem", true),
            ("<[T]>::to_vec", true),
            ("tracemalloc_harness::child::run", true),
            ("<demo::f::{closure#0} as core::ops::function::FnOnce<()>>::call_once", true),
            ("malloc", true),
            ("", true),
            ("demo::build", false),
            ("libz.so.1!deflateInit_", false),
            ("operator new", true),
            ("<demo::Page as core::clone::Clone>::clone", false),
        ] {
            assert_eq!(is_std(&frame(function, "")), expected, "{function}");
        }
        assert!(!is_std(&frame("alloc", "/demo/src/alloc.rs")));
        assert!(is_std(&frame("alloc", "/rustc/0123abc/library/alloc/src/alloc.rs")));
    }

    #[test]
    fn files_of_the_standard_library_are_known() {
        assert_eq!(
            inside_std("/usr/src/rustc-1.85.0/library/core/src/ops/function.rs"),
            Some("core/src/ops/function.rs"),
            "Debian's build"
        );
        assert_eq!(inside_std("/home/x/rustc-hash/library/core/src/lib.rs"), None);
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
