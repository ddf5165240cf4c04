//! The libraries to inject, and the options of their build.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::runtimes::allocator_symbols::AllocatorSymbols;

/// The libraries for one target triple.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Runtime {
    /// The harness with a tracing allocator.
    pub traced: Utf8PathBuf,
    /// The harness with a tracing allocator that goes in front of the program's own.
    pub interposed: Option<Interposed>,
    /// The harness alone, for a target whose own allocator cannot be traced.
    pub untraced: Utf8PathBuf,
    /// The library that traces a program with a `main` of its own, besides one of the others.
    /// `None` except on Linux with glibc.
    pub program: Option<Utf8PathBuf>,
    /// The directory of their dependencies.
    pub search: Utf8PathBuf,
}

/// The library that goes in front of an allocator. It needs 64-bit ELF.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Interposed {
    /// The library.
    pub library: Utf8PathBuf,
    /// The functions that it replaces.
    pub symbols: AllocatorSymbols,
}

/// The libraries for all target triples of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Runtimes {
    /// Changes if test binaries have to be linked again.
    pub identity: String,
    /// By target triple.
    pub by_triple: BTreeMap<String, Runtime>,
}

/// Options of the build.
#[derive(Debug, Clone, Copy)]
pub struct BuildOptions {
    /// Print commands.
    pub verbose: bool,
    /// Print no progress.
    pub quiet: bool,
    /// Work without network.
    pub offline: bool,
}
