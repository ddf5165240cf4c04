//! Initialisers: code that runs once by nature. Blocks that it allocates stay, and are no leak.

use std::sync::Arc;

use crate::names::named_frame::NamedFrame;
use crate::names::origin;

/// A function of the standard library or of a crate that initialises a value once.
struct Initialiser {
    /// The beginning of its path.
    path: &'static str,
    /// Its name in a report.
    name: &'static str,
    /// Whether blocks count that the program's code allocates under it, and not only those of the
    /// standard library itself.
    calls_program: bool,
    /// Whether it is a cache that grows on its own.
    is_cache: bool,
}

const INITIALISERS: [Initialiser; 18] = [
    calls_program("std::sync::once::Once::", "std::sync::Once"),
    calls_program("std::sync::poison::once::Once::", "std::sync::Once"),
    calls_program("std::sys::sync::once::", "std::sync::Once"),
    calls_program("std::sync::once_lock::OnceLock::", "std::sync::OnceLock"),
    calls_program("std::sync::lazy_lock::LazyLock::", "std::sync::LazyLock"),
    // Destructors too: in crossbeam-epoch they hand over garbage that is freed much later.
    calls_program("std::sys::thread_local::", "thread_local!"),
    by_itself("std::io::stdio::", "std's stdio"),
    // The message of a panic, into output that libtest captures.
    by_itself("std::panicking::default_hook", "std's stdio"),
    by_itself("std::backtrace_rs::symbolize::", "std's backtrace cache"),
    // The names of living threads, for the message when a stack overflows.
    by_itself("std::sys::pal::unix::stack_overflow::", "std's table of threads"),
    // The C library never frees a string of the environment: `getenv` may have given it away.
    by_itself(SET_VAR, SET_VAR),
    // As large as the most threads that have lived at once. Old tables stay.
    cache("parking_lot_core::parking_lot::create_hashtable", "parking_lot's table of threads"),
    cache("parking_lot_core::parking_lot::grow_hashtable", "parking_lot's table of threads"),
    calls_program("once_cell::imp::OnceCell::", "once_cell"),
    calls_program("once_cell::sync::", "once_cell"),
    calls_program("once_cell::race::", "once_cell"),
    calls_program("lazy_static::lazy::Lazy::", "lazy_static"),
    calls_program("spin::once::Once::", "spin::Once"),
];

const SET_VAR: &str = "std::env::set_var";

const fn calls_program(path: &'static str, name: &'static str) -> Initialiser {
    Initialiser { path, name, calls_program: true, is_cache: false }
}

const fn cache(path: &'static str, name: &'static str) -> Initialiser {
    Initialiser { path, name, calls_program: true, is_cache: true }
}

const fn by_itself(path: &'static str, name: &'static str) -> Initialiser {
    Initialiser { path, name, calls_program: false, is_cache: true }
}

/// Whether this initialiser is a cache of the standard library, or of a library like it, that grows
/// on its own: captured output, read debug information, the environment. Its growth never counts.
pub fn is_cache_of_std(name: &str) -> bool {
    INITIALISERS.iter().any(|one| one.name == name && one.is_cache)
}

/// The innermost initialiser among the frames, which come innermost first.
pub fn of(frames: &[Arc<NamedFrame>]) -> Option<&'static str> {
    let first_of_program =
        frames.iter().position(|frame| !origin::is_runtime(frame) && !origin::is_std(frame));
    frames.iter().enumerate().find_map(|(index, frame)| {
        let path = frame.path();
        let by_itself = first_of_program.is_none_or(|program| index < program);
        let found = INITIALISERS
            .iter()
            .find(|one| path.starts_with(one.path) && (one.calls_program || by_itself))?;
        Some(found.name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::symbol::Symbol;

    fn frames(functions: &[&str]) -> Vec<Arc<NamedFrame>> {
        let file = |function: &str| {
            if function.contains("demo::") {
                "/demo/src/lib.rs"
            } else {
                "/rustc/0/library/std/x.rs"
            }
        };
        let symbol = |function: &&str| Symbol {
            function: (*function).to_owned(),
            file: file(function).to_owned(),
            line: 1,
            column: 1,
        };
        functions.iter().map(|function| Arc::new(symbol(function).into())).collect()
    }

    #[test]
    fn code_that_an_initialiser_calls_belongs_to_it() {
        let under = frames(&[
            "alloc::alloc::alloc",
            "demo::init",
            "<std::sync::once_lock::OnceLock<u8>>::initialize::<F>",
        ]);
        assert_eq!(of(&under), Some("std::sync::OnceLock"));
        let lazy = frames(&[
            "demo::init",
            "<std::sys::thread_local::native::lazy::Storage<u8, ()>>::get_or_init_slow::<F>",
        ]);
        assert_eq!(of(&lazy), Some("thread_local!"));
    }

    #[test]
    fn the_table_of_threads_is_of_std() {
        let split = frames(&[
            "alloc::alloc::alloc",
            "<alloc::collections::btree::map::BTreeMap<usize, ThreadInfo>>::insert",
            "std::sys::pal::unix::stack_overflow::thread_info::set_current_info",
            "std::sys::pal::unix::stack_overflow::imp::make_handler",
        ]);
        assert_eq!(of(&split), Some("std's table of threads"));
        assert!(is_cache_of_std("std's table of threads"));
    }

    #[test]
    fn the_table_of_parking_lot_is_no_growth_of_the_thread_that_enlarges_it() {
        let table = frames(&[
            "<parking_lot_core::parking_lot::HashTable>::new",
            "parking_lot_core::parking_lot::grow_hashtable",
            "<parking_lot_core::parking_lot::ThreadData>::new",
            "<std::sys::thread_local::native::lazy::Storage<u8, ()>>::get_or_init_slow::<F>",
            "demo::worker",
        ]);
        assert_eq!(of(&table), Some("parking_lot's table of threads"));
        assert!(is_cache_of_std("parking_lot's table of threads"));
    }

    #[test]
    fn the_environment_is_of_the_c_library() {
        let set_var = frames(&[
            "",
            "setenv",
            "<std::sys::env::unix::setenv::{closure#0}>::call",
            "std::env::set_var::<&str, &str>",
            "demo::test",
        ]);
        assert_eq!(of(&set_var), Some(SET_VAR));
        assert!(is_cache_of_std(SET_VAR));
        assert_eq!(of(&frames(&["malloc", "demo::test", "std::env::set_var"])), None);
    }

    #[test]
    fn code_that_printing_calls_does_not() {
        let buffer = frames(&["alloc::alloc::alloc", "std::io::stdio::stdout", "demo::print"]);
        assert_eq!(of(&buffer), Some("std's stdio"));
        let display = frames(&[
            "alloc::alloc::alloc",
            "<demo::Noisy as core::fmt::Display>::fmt",
            "std::io::stdio::_print",
        ]);
        assert_eq!(of(&display), None);
    }
}
