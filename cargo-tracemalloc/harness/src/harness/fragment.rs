//! The files that a test binary leaves for the command: one entry a test, and what the binary was built from.
//!
//! Each is written under a temporary name and then renamed, so that a reader sees all of it or nothing.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::{ENTRY_EXTENSION, FRAGMENTS_DIR, NOTE_EXTENSION, TARGET_FILE, TargetNote, TestEntry};

const TEMPORARY_PREFIX: &str = "tracemalloc-fragments-";

/// Where this binary's fragments go: into the session's directory, or, without one, to a temporary one.
pub fn directory(session_dir: Option<&PathBuf>) -> PathBuf {
    match session_dir {
        Some(session_dir) => {
            let executable = std::env::current_exe().unwrap_or_default();
            session_dir.join(FRAGMENTS_DIR).join(executable.file_name().unwrap_or_default())
        }
        None => {
            let directory = std::env::temp_dir().join(format!("{TEMPORARY_PREFIX}{}", std::process::id()));
            // Of a process that had the same number and was killed.
            remove_if_temporary(&directory);
            directory
        }
    }
}

/// Removes a directory that no command will read.
pub fn remove_if_temporary(directory: &Path) {
    let name = directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if name.starts_with(TEMPORARY_PREFIX) {
        // What cannot be removed from the system's temporary directory, the system removes.
        let _ = std::fs::remove_dir_all(directory);
    }
}

/// Where the entry of the test with this number goes.
pub fn of_test(fragments: &Path, number: usize) -> PathBuf {
    fragments.join(format!("{number}.{ENTRY_EXTENSION}"))
}

/// Writes a test's entry.
pub fn write(path: &Path, entry: &TestEntry) -> io::Result<()> {
    write_whole(path, entry)
}

/// Removes what an earlier attempt has left: nextest may try a test again.
pub fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A test's entry, where it was written.
pub fn read(path: &Path) -> Option<TestEntry> {
    crate::from_bytes(&std::fs::read(path).ok()?).ok()
}

/// Makes the directory, and notes in it what this binary was built from, and whether its allocator is a tracing one.
pub fn write_target(directory: &Path) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    let mut note = target_of_this_binary();
    note.executable = std::env::current_exe()?.to_string_lossy().into_owned();
    if note.untraced.is_none() && !tracemalloc::raw::is_this_copy_installed() {
        note.untraced = Some("its linker has left the tracing allocator out".to_owned());
    }
    write_whole(&directory.join(TARGET_FILE), &note)
}

/// The note that the wrapper left beside this binary, or, where there is none, what cargo's variables tell.
pub fn target_of_this_binary() -> TargetNote {
    let executable = std::env::current_exe().unwrap_or_default();
    let stem = executable.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = stem.strip_suffix(std::env::consts::EXE_SUFFIX).unwrap_or(&stem);
    let note = executable.with_file_name(format!("{stem}.{NOTE_EXTENSION}"));
    std::fs::read(note).ok().and_then(|text| crate::from_bytes(&text).ok()).unwrap_or_else(|| TargetNote {
        package: std::env::var("CARGO_PKG_NAME").unwrap_or_default(),
        version: std::env::var("CARGO_PKG_VERSION").unwrap_or_default(),
        crate_name: stem.rsplit_once('-').map_or(stem, |(name, _hash)| name).to_owned(),
        src_path: String::new(),
        executable: String::new(),
        untraced: None,
    })
}

/// Writes a file whole or not at all.
pub fn write_whole(path: &Path, value: &impl Serialize) -> io::Result<()> {
    // Of this process alone: under nextest, several of one binary write at once.
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    std::fs::write(&temporary, crate::to_bytes(value).map_err(io::Error::other)?)?;
    std::fs::rename(temporary, path)
}
