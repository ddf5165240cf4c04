//! Builds the runtimes, once per version, compiler and target, and finds them again.
//!
//! The command carries their [`sources`]. It keeps the builds in the user's [`cache`], for all
//! workspaces.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use camino::Utf8Path;

use crate::runtimes::old_builds::Age;
use crate::runtimes::runtime::{BuildOptions, Runtime, Runtimes};
use crate::runtimes::{cache, cargo_build, old_builds, sources};
use crate::util::{private_env, terminal};
use crate::workspace::Rustc;

/// Finds the runtimes, and builds those that are missing.
pub fn ensure(rustc: &Rustc, triples: &[String], options: BuildOptions) -> Result<Runtimes> {
    let cache_dir = cache::dir()?;
    let mut identities = Vec::new();
    let mut by_triple = BTreeMap::new();
    for triple in triples {
        let identity = cargo_build::identity(rustc, triple);
        let target_dir = cache_dir.join(cargo_build::target_dir_name(rustc));
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
        cache::note_use(dir);
        return Ok(runtime);
    }
    let unusable = || {
        format!(
            "failed to write the runtime cache `{dir}`; set {} to a directory that can be written",
            private_env::CACHE_DIR
        )
    };
    // Builds of all versions share the target directory, so they wait for each other. The results
    // are copied, because other processes may link them at any time.
    let _lock = cache::lock(target_dir, options.quiet).with_context(unusable)?;
    // Another process may have built it meanwhile.
    if let Some(runtime) = cache::complete(dir) {
        return Ok(runtime);
    }
    let version = env!("CARGO_PKG_VERSION");
    if !options.quiet {
        terminal::status(
            "Preparing",
            format_args!("tracemalloc runtime {version} for rustc {} ({triple})", rustc.release),
        );
    }
    if cache::is_damaged(dir) {
        // The files may be missing there too, and cargo would not notice.
        cache::clear(target_dir).with_context(unusable)?;
    }
    cache::clear(dir).with_context(unusable)?;
    sources::write(dir).with_context(unusable)?;
    let artifacts = cargo_build::build(dir, target_dir, rustc, triple, options)?;
    let runtime = cache::finish(dir, &artifacts).with_context(unusable)?;
    remove_unused(dir);
    Ok(runtime)
}

/// Removes runtimes that no command used for a while. A file that cannot be removed is no error.
fn remove_unused(dir: &Utf8Path) {
    let Some(cache_dir) = dir.parent() else { return };
    let removed = old_builds::remove_in(cache_dir, Age::Unused, false).unwrap_or_default();
    if !removed.is_empty() {
        let number = removed.len();
        let text = format_args!("{number} directories of the runtime cache that were not used");
        terminal::status("Removed", text);
    }
}
