//! The files that a test binary and its front leave for the command: one entry a test, and what the
//! binary was built from.
//!
//! Each is written under a temporary name and then renamed, so that a reader sees all of it or
//! nothing.

use std::io;
use std::path::{Path, PathBuf};

use crate::protocol::session::{ENTRY_EXTENSION, FRAGMENTS_DIR, TARGET_FILE};
use crate::protocol::target_note::{NOTE_EXTENSION, TargetNote};
use crate::protocol::test_entry::TestEntry;
use crate::protocol::wire;
use crate::protocol::wire::Exchanged;

const TEMPORARY_PREFIX: &str = "tracemalloc-fragments-";

/// Where the fragments of a binary go: into the session's directory, or, without one, to a
/// temporary one.
pub fn directory(session_dir: Option<&PathBuf>, executable: &Path) -> PathBuf {
    match session_dir {
        Some(session_dir) => {
            session_dir.join(FRAGMENTS_DIR).join(executable.file_name().unwrap_or_default())
        }
        None => {
            let directory =
                std::env::temp_dir().join(format!("{TEMPORARY_PREFIX}{}", std::process::id()));
            // Of a process that had the same number and was killed.
            remove_if_temporary(&directory);
            directory
        }
    }
}

/// Removes a directory that no command will read.
pub fn remove_if_temporary(directory: &Path) {
    let name =
        directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if name.starts_with(TEMPORARY_PREFIX) {
        // What cannot be removed from the system's temporary directory, the system removes.
        let _ = std::fs::remove_dir_all(directory);
    }
}

/// Where the entry of the test with this number goes.
pub fn entry_path(fragments: &Path, number: usize) -> PathBuf {
    fragments.join(format!("{number}.{ENTRY_EXTENSION}"))
}

/// Removes what an earlier attempt has left: nextest may try a test again.
///
/// # Errors
///
/// When there is something, and it cannot be removed.
pub fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A test's entry, where it was written.
pub fn read(path: &Path) -> Option<TestEntry> {
    wire::from_bytes(&std::fs::read(path).ok()?).ok()
}

/// Makes the directory, and notes in it what the binary was built from, and whether its allocator
/// is a tracing one. Tells it too.
///
/// # Errors
///
/// When something cannot be written.
pub fn write_target(
    directory: &Path,
    executable: &Path,
    installed: bool,
) -> io::Result<TargetNote> {
    let mut note = target_note(executable);
    note.executable = executable.to_string_lossy().into_owned();
    if note.untraced.is_none() && !installed {
        note.untraced = Some("its linker has left the tracing allocator out".to_owned());
    }
    write(&directory.join(TARGET_FILE), &note)?;
    Ok(note)
}

/// The note that the wrapper left beside a binary, or, where there is none, what cargo's variables
/// tell.
pub fn target_note(executable: &Path) -> TargetNote {
    let stem =
        executable.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = stem.strip_suffix(std::env::consts::EXE_SUFFIX).unwrap_or(&stem);
    let note = executable.with_file_name(format!("{stem}.{NOTE_EXTENSION}"));
    std::fs::read(note).ok().and_then(|text| wire::from_bytes(&text).ok()).unwrap_or_else(|| {
        TargetNote {
            package: std::env::var("CARGO_PKG_NAME").unwrap_or_default(),
            version: std::env::var("CARGO_PKG_VERSION").unwrap_or_default(),
            crate_name: stem.rsplit_once('-').map_or(stem, |(name, _hash)| name).to_owned(),
            src_path: String::new(),
            executable: String::new(),
            untraced: None,
            command: String::new(),
        }
    })
}

/// Writes an entry, or what else goes beside it, whole or not at all; makes the directory where
/// there is none.
///
/// # Errors
///
/// When it cannot be written.
pub fn write(path: &Path, value: &impl Exchanged) -> io::Result<()> {
    // Of this process alone: under nextest, several of one binary write at once.
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    std::fs::write(&temporary, wire::to_bytes(value))?;
    std::fs::rename(temporary, path)
}
