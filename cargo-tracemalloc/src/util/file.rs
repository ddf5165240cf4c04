//! Files that are written as a whole, and the path of this program.

use std::process;

use anyhow::{Context as _, Result, anyhow};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use crate::util::exit_code::UsageError;

/// The path of this program.
pub fn this_program() -> Result<Utf8PathBuf> {
    let this = std::env::current_exe().context("failed to find this program's own path")?;
    Utf8PathBuf::from_path_buf(this)
        .map_err(|path| anyhow!("this program's path {path:?} is not UTF-8"))
}

/// Writes a file as a whole: readers never see a part of it.
pub fn write_atomically(path: &Utf8Path, content: &[u8]) -> Result<()> {
    if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        // A pipe or a device cannot be replaced.
        return Ok(fs::write(path, content)?);
    }
    let temporary = path.with_added_extension(format!("{}.tmp", process::id()));
    fs::write(&temporary, content)?;
    fs::rename(&temporary, path)?;
    Ok(())
}

/// Checks before any work that a report can be written.
pub fn check_writable(path: &Utf8Path) -> Result<()> {
    let existed = path.exists();
    let opened = std::fs::OpenOptions::new().append(true).create(true).open(path);
    opened.with_context(|| UsageError(format!("the report `{path}` cannot be written")))?;
    if !existed {
        fs::remove_file(path)?;
    }
    Ok(())
}
