//! Whose code a frame is: the tracing allocator's, the standard library's, or the program's.

use crate::names::function_name::THREAD_START;
use crate::names::named_frame::NamedFrame;
use crate::names::symbol::Symbol;

/// The function that calls the body of a function with the attribute `check`.
pub const CHECKED_BODY: &str = "tracemalloc::check::__rust_begin_short_backtrace";

/// Whether tracebacks end at this frame: std's first function of a thread, the harness's of a test,
/// or the C library's if a thread has not come that far or was started by C.
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

/// Whether a frame belongs to the standard library.
///
/// A frame without a file does: it is a generic function of the library that was compiled with the
/// harness, which has no line tables. Crates of the program always have them.
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

#[cfg(test)]
mod tests {
    use super::*;

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
