//! Builds what is injected, once per version, compiler and target, and finds it again.
//!
//! The sources are [`embedded`]. What is built is kept in the user's [`cache`], for all workspaces.
//! A marker that is written last tells a finished build from one that was cut off.

mod build;
mod cache;
mod embedded;
mod symbols;

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::rustc::Rustc;
use crate::term;

pub use symbols::AllocatorSymbols;

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

/// Finds what is injected, after building it where that is not done yet.
pub fn ensure(rustc: &Rustc, triples: &[String], options: BuildOptions) -> Result<Runtimes> {
    let cache_dir = cache::dir()?;
    let mut identities = Vec::new();
    let mut by_triple = BTreeMap::new();
    for triple in triples {
        let identity = build::identity(rustc, triple);
        let target_dir = cache_dir.join(build::target_dir_name(rustc));
        let runtime = ensure_one(&cache_dir.join(&identity), &target_dir, rustc, triple, options)?;
        identities.push(identity);
        by_triple.insert(triple.clone(), runtime);
    }
    Ok(Runtimes { identity: identities.join(","), by_triple })
}

fn ensure_one(
    dir: &Utf8Path,
    target_dir: &Utf8Path,
    rustc: &Rustc,
    triple: &str,
    options: BuildOptions,
) -> Result<Runtime> {
    if let Some(runtime) = cache::complete(dir) {
        return Ok(runtime);
    }
    let unusable = || {
        format!(
            "failed to write the runtime cache `{dir}`; set {} to a directory that can be written",
            crate::private_env::CACHE_DIR
        )
    };
    // Builds of all versions share the target directory, so they wait for each other. What a build
    // leaves for use is copied out of it: others may link that at any time.
    let _lock = cache::lock(target_dir).with_context(unusable)?;
    // Another process may have built it while we waited.
    if let Some(runtime) = cache::complete(dir) {
        return Ok(runtime);
    }
    let version = env!("CARGO_PKG_VERSION");
    term::status(
        "Preparing",
        format_args!("tracemalloc runtime {version} for rustc {} ({triple})", rustc.release),
    );
    if cache::is_damaged(dir) {
        // What was lost here may have been lost there too, and cargo would not notice.
        cache::clear(target_dir).with_context(unusable)?;
    }
    cache::clear(dir).with_context(unusable)?;
    embedded::write(dir).with_context(unusable)?;
    let artifacts = build::build(dir, target_dir, rustc, triple, options)?;
    cache::finish(dir, &artifacts).with_context(unusable)
}
