//! Code that runs once by nature: what is allocated under it stays, and is no leak.

use tracemalloc::Symbol;

use crate::harness::symbol_name;

/// What a path begins with, and what it is called in a report.
const INITIALISERS: [(&str, &str); 14] = [
    ("std::sync::once::Once::", "std::sync::Once"),
    ("std::sync::poison::once::Once::", "std::sync::Once"),
    ("std::sys::sync::once::", "std::sync::Once"),
    ("std::sync::once_lock::OnceLock::", "std::sync::OnceLock"),
    ("std::sync::lazy_lock::LazyLock::", "std::sync::LazyLock"),
    ("std::sys::thread_local::", "thread_local!"),
    ("std::io::stdio::", "std's stdio"),
    ("std::backtrace_rs::symbolize::", "std's backtrace cache"),
    ("once_cell::imp::OnceCell::", "once_cell"),
    ("once_cell::sync::OnceCell::", "once_cell"),
    ("once_cell::sync::Lazy::", "once_cell"),
    ("once_cell::race::", "once_cell"),
    ("lazy_static::lazy::Lazy::", "lazy_static"),
    ("spin::once::Once::", "spin::Once"),
];

/// The innermost initialiser that the frames, which come innermost first, run through.
pub fn of(symbols: &[Symbol]) -> Option<&'static str> {
    symbols.iter().find_map(|symbol| {
        let path = symbol_name::path(&symbol.function);
        INITIALISERS.iter().find(|(prefix, _)| path.starts_with(prefix)).map(|(_, name)| *name)
    })
}
