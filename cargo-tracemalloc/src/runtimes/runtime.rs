//! The libraries that are injected, and the options of their build.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::runtimes::allocator_symbols::AllocatorSymbols;

/// Libraries to link, for one target triple.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Runtime {
    /// Harness and tracing allocator.
    pub traced: Utf8PathBuf,
    /// Harness and a tracing allocator that goes in front of the one that a program brings.
    pub interposed: Option<Interposed>,
    /// The harness alone, for a target with an allocator of its own that nothing can be put in
    /// front of.
    pub untraced: Utf8PathBuf,
    /// What traces a program with a `main` of its own, beside one of the former; `None` elsewhere
    /// than on Linux with glibc.
    pub program: Option<Utf8PathBuf>,
    /// The directory of what they depend on.
    pub search: Utf8PathBuf,
}

/// What goes in front of an allocator. There is none where object files are not 64-bit ELF.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Interposed {
    /// The library.
    pub library: Utf8PathBuf,
    /// The functions that it takes over.
    pub symbols: AllocatorSymbols,
}

/// What is injected, for every target triple in use.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Runtimes {
    /// Changes whenever test binaries have to be linked anew.
    pub identity: String,
    /// By target triple.
    pub by_triple: BTreeMap<String, Runtime>,
}

/// How to build.
#[derive(Debug, Clone, Copy)]
pub struct BuildOptions {
    /// Print commands.
    pub verbose: bool,
    /// Print no progress.
    pub quiet: bool,
    /// Do without network.
    pub offline: bool,
}
