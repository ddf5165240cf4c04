//! Files that are written as a whole, the size of directories, and the path of this program.

use std::fs::File;
use std::io;
use std::mem;
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
        let _reader = open_without_waiting(path)?;
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
    if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        let opened = open_without_waiting(path);
        let pipe =
            opened.with_context(|| UsageError(format!("the report `{path}` cannot be written")))?;
        // A reader ends when its pipe is closed, so it stays open until the report is written.
        mem::forget(pipe);
        return Ok(());
    }
    let opened = File::options().append(true).create(true).open(path);
    opened.with_context(|| UsageError(format!("the report `{path}` cannot be written")))?;
    if !existed {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// The number and the size of a directory's files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct DiskUse {
    /// The number.
    pub files: u64,
    /// Their sizes.
    pub bytes: u64,
}

impl DiskUse {
    /// Counts the files below a directory, as far as it can be read.
    pub fn of(dir: &Utf8Path) -> Self {
        let mut sum = Self::default();
        let mut dirs = vec![dir.to_owned()];
        while let Some(dir) = dirs.pop() {
            let entries = dir.read_dir_utf8().into_iter().flatten().flatten();
            for entry in entries {
                match entry.metadata() {
                    Ok(found) if found.is_dir() => dirs.push(entry.path().to_owned()),
                    Ok(found) => (sum.files, sum.bytes) = (sum.files + 1, sum.bytes + found.len()),
                    Err(_) => {}
                }
            }
        }
        sum
    }
}

/// Whether there is a file. A link to one that does not exist is there, and an error to its reader.
pub fn is_there(path: &Utf8Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Opens a pipe or a device. To open a pipe waits for its reader otherwise. While it is open, other
/// calls that open it do not wait.
#[cfg(unix)]
fn open_without_waiting(path: &Utf8Path) -> io::Result<File> {
    use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};

    use nix::libc;

    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = File::options().write(true).custom_flags(flags).open(path);
    file.map_err(|error| {
        let is_pipe = path.metadata().is_ok_and(|metadata| metadata.file_type().is_fifo());
        if is_pipe && error.raw_os_error() == Some(libc::ENXIO) {
            io::Error::other(format!("nothing reads the pipe `{path}`; start its reader first"))
        } else {
            error
        }
    })
}

#[cfg(not(unix))]
fn open_without_waiting(path: &Utf8Path) -> io::Result<File> {
    File::options().write(true).open(path)
}
