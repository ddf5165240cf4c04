//! Known holders: statics and threads that free later, or fill once.

/// A known holder. Growth that only known holders hold is no leak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownHolder<'a> {
    /// Whether the pattern is for the first function of a thread, or for the name of a static.
    pub is_thread: bool,
    /// A pattern for that name, with the syntax of Python's `fnmatch`.
    pub pattern: &'a str,
    /// For a thread, a pattern for statics: the thread counts only if its stack contains a pointer
    /// that one of these statics contains too. `None` if it always counts.
    pub only_with: Option<&'a str>,
    /// Why growth in it is no leak.
    pub reason: &'a str,
}

const GLOBAL_POOL: &str = "rayon_core::registry::THE_REGISTRY";

/// The built-in list.
pub const KNOWN_HOLDERS: &[KnownHolder<'static>] = &[
    of_statics(
        "crossbeam_epoch::default::*COLLECTOR",
        "garbage that is freed when no thread can look at it any more",
    ),
    of_statics(GLOBAL_POOL, "the global thread pool, started by its first user, and its queues"),
    of_workers("<rayon_core::*"),
    of_workers("rayon_core::*"),
    of_threads(
        "*tracemalloc_harness::*TestThread*",
        "the test's own thread, whose thread-locals are freed when it ends",
    ),
    of_statics(
        "tokio::signal::registry::globals::GLOBALS",
        "one entry for each signal, made by the first that listens",
    ),
    of_statics(
        "std::io::stdio::*",
        "buffers of stdin, stdout and stderr, made by their first user",
    ),
    of_statics(
        "std::sys::*stack_overflow::*",
        "names of living threads, for the message when a stack overflows",
    ),
    of_statics(
        "*std::backtrace_rs::symbolize::gimli::*",
        "debug information that the first backtrace has read",
    ),
    of_statics(
        "*backtrace::symbolize::gimli::*",
        "debug information that the first backtrace has read",
    ),
    of_statics("insta::env::*", "what insta has read of a workspace, once for each"),
    of_statics("insta::runtime::*", "which snapshots a test has compared, by its name and theirs"),
    of_statics(
        "parking_lot_core::parking_lot::HASHTABLE",
        "one table for all locks, enlarged for more threads",
    ),
];

const fn of_statics(pattern: &'static str, reason: &'static str) -> KnownHolder<'static> {
    KnownHolder { is_thread: false, pattern, only_with: None, reason }
}

const fn of_threads(pattern: &'static str, reason: &'static str) -> KnownHolder<'static> {
    KnownHolder { is_thread: true, pattern, only_with: None, reason }
}

/// Workers of the global thread pool: the workers of a private pool end with it.
const fn of_workers(pattern: &'static str) -> KnownHolder<'static> {
    KnownHolder {
        is_thread: true,
        pattern,
        only_with: Some(GLOBAL_POOL),
        reason: "workers of the global thread pool keep what they allocated for themselves",
    }
}
