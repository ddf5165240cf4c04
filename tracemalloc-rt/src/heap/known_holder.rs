//! Known holders: statics and threads that free later, or fill once.

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
use crate::util::fnmatch::Pattern;

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
    /// For a static, a pattern for the paths of functions: it owns only blocks that were allocated
    /// under one of them. `None` if it may own any block.
    pub allocated_by: Option<&'a str>,
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
    KnownHolder {
        allocated_by: Some("std::io::stdio::*"),
        ..of_statics(
            "std::io::stdio::*",
            "buffers of stdin, stdout and stderr, made by their first user",
        )
    },
    of_statics(
        "std::sys::*stack_overflow::*",
        "names of living threads, for the message when a stack overflows",
    ),
    of_backtraces("*std::backtrace_rs::symbolize::gimli::*"),
    of_backtraces("*backtrace::symbolize::gimli::*"),
    of_statics("insta::env::*", "what insta has read of a workspace, once for each"),
    of_statics("insta::runtime::*", "which snapshots a test has compared, by its name and theirs"),
    of_statics(
        "parking_lot_core::parking_lot::HASHTABLE",
        "one table for all locks, enlarged for more threads",
    ),
];

const OURS: &str = "the runtime's and the harness's own data";

/// The runtime and the harness. What only they hold is no memory of the program.
#[cfg_attr(
    not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))),
    expect(dead_code, reason = "the heap is not searched")
)]
pub(super) const OUR_HOLDERS: &[KnownHolder<'static>] = &[
    of_statics("tracemalloc::*", OURS),
    of_statics("tracemalloc_harness::*", OURS),
    of_statics("tracemalloc_interposed::*", OURS),
    of_statics("tracemalloc_program::*", OURS),
    of_statics("tracemalloc_traced::*", OURS),
    of_threads("*tracemalloc_harness::*", OURS),
];

/// Whether a static or a thread-local of this name belongs to the runtime or the harness.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) fn is_ours(name: &str) -> bool {
    let mut statics = OUR_HOLDERS.iter().filter(|holder| !holder.is_thread);
    statics.any(|holder| Pattern::new(holder.pattern).matches(name))
}

const fn of_statics(pattern: &'static str, reason: &'static str) -> KnownHolder<'static> {
    KnownHolder { is_thread: false, pattern, only_with: None, allocated_by: None, reason }
}

/// Caches of backtraces. Their tables are larger than what is written into them.
const fn of_backtraces(pattern: &'static str) -> KnownHolder<'static> {
    KnownHolder {
        allocated_by: Some("*backtrace*::symbolize::*"),
        ..of_statics(pattern, "debug information that the first backtrace has read")
    }
}

const fn of_threads(pattern: &'static str, reason: &'static str) -> KnownHolder<'static> {
    KnownHolder { is_thread: true, pattern, only_with: None, allocated_by: None, reason }
}

/// Workers of the global thread pool: the workers of a private pool end with it.
const fn of_workers(pattern: &'static str) -> KnownHolder<'static> {
    KnownHolder {
        only_with: Some(GLOBAL_POOL),
        ..of_threads(
            pattern,
            "workers of the global thread pool keep what they allocated for themselves",
        )
    }
}
