//! What holds a block, and the holders that are known to let go later, or to fill once.

use std::fmt;

/// What holds a block.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Holder {
    /// What it is.
    pub kind: HolderKind,
    /// `store::SEEN`; a thread's name; what stands for either where it has none.
    pub name: String,
    /// The thread that it belongs to, where it does.
    pub thread: Option<String>,
    /// The function that this thread was started with.
    pub start: Option<String>,
    /// Whether it is one of the known holders.
    pub known: bool,
}

/// Kinds of holders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HolderKind {
    /// A static of the executable.
    Static,
    /// Data of a library.
    Library,
    /// A thread-local of a living thread.
    ThreadLocal,
    /// The stack of a living thread.
    Stack,
    /// A register of a living thread.
    Register,
    /// Memory that is nobody's in particular: the C library's heap, a mapping.
    Foreign,
}

/// A holder that frees what it holds later, or that fills once: growth that only such ones hold is
/// no leak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownHolder<'a> {
    /// Whether threads are meant, by the function that they were started with, or statics.
    pub is_thread: bool,
    /// A pattern for the name, as Python's `fnmatch` takes them.
    pub pattern: &'a str,
    /// Why it is no leak.
    pub reason: &'a str,
}

/// The ones that need not be told of.
pub const KNOWN_HOLDERS: &[KnownHolder<'static>] = &[
    of_statics(
        "crossbeam_epoch::default::*COLLECTOR",
        "garbage that is freed when no thread can look at it any more",
    ),
    of_statics(
        "rayon_core::registry::THE_REGISTRY",
        "the global thread pool, started by its first user, and its queues",
    ),
    of_threads(
        "<rayon_core::*",
        "workers of a thread pool keep what they allocated for themselves until they end",
    ),
    of_threads(
        "rayon_core::*",
        "workers of a thread pool keep what they allocated for themselves until they end",
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
    KnownHolder { is_thread: false, pattern, reason }
}

const fn of_threads(pattern: &'static str, reason: &'static str) -> KnownHolder<'static> {
    KnownHolder { is_thread: true, pattern, reason }
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
impl Holder {
    pub(super) fn new(kind: HolderKind, name: String) -> Self {
        Self { kind, name, thread: None, start: None, known: false }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thread = self.thread.as_deref().unwrap_or(&self.name);
        match self.kind {
            HolderKind::Static | HolderKind::Library | HolderKind::Foreign => {
                f.write_str(&self.name)
            }
            HolderKind::ThreadLocal => write!(f, "{} of thread `{thread}`", self.name),
            HolderKind::Stack => write!(f, "stack of thread `{thread}`"),
            HolderKind::Register => write!(f, "register of thread `{thread}`"),
        }
    }
}
