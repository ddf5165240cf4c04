//! The files that a front and its children leave for the command: one entry for each test, and a
//! note about the target.
//!
//! Each file is written under a temporary name and then renamed. So a reader sees the whole file or
//! none.

use std::io;
use std::path::{Path, PathBuf};

use crate::protocol::entry_slots::{self, Slot};
use crate::protocol::fnv;
use crate::protocol::session::{ENTRY_EXTENSION, FRAGMENTS_DIR, TARGET_FILE};
use crate::protocol::started_programs;
use crate::protocol::target_note::{NOTE_EXTENSION, TargetNote};
use crate::protocol::test_entry::TestEntry;
use crate::protocol::wire;
use crate::protocol::wire::Exchanged;

/// The directory for a binary's fragments, inside the session's directory.
pub fn directory(session_dir: &Path, executable: &Path) -> PathBuf {
    session_dir.join(FRAGMENTS_DIR).join(executable.file_name().unwrap_or_default())
}

/// A number for the entry of a test that has only a name.
pub fn number_of(name: &str) -> usize {
    fnv::add(fnv::EMPTY, name.as_bytes()) as usize
}

/// The path of the entry of the test with this number.
pub fn entry_path(fragments: &Path, number: usize) -> PathBuf {
    fragments.join(format!("{number}.{ENTRY_EXTENSION}"))
}

/// The directory beside the file of an entry for what processes lose that the test starts to run
/// itself again.
pub fn nested_directory(entry: &Path) -> PathBuf {
    entry.with_extension("nested")
}

/// The first leak that such a process has left. Removes the directory.
pub fn take_nested(entry: &Path) -> Option<TestEntry> {
    let directory = nested_directory(entry);
    let files = std::fs::read_dir(&directory).ok()?;
    let mut files: Vec<PathBuf> = files.flatten().map(|file| file.path()).collect();
    files.sort();
    let leak = files.iter().find_map(|file| read(&file.with_extension(ENTRY_EXTENSION)));
    // It is gone with the session's directory at the latest.
    let _ = std::fs::remove_dir_all(directory);
    leak.map(|(entry, _)| entry)
}

/// Removes the file of an earlier attempt. nextest may retry a test.
///
/// # Errors
///
/// When the file exists and cannot be removed.
pub fn remove(path: &Path) -> io::Result<()> {
    entry_slots::remove(path);
    started_programs::remove(path);
    let _ = std::fs::remove_dir_all(nested_directory(path));
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Reads a child's entry; `None` if there is none, or if it is damaged.
/// The flag tells whether the child was done, as far as that is known.
pub fn read(path: &Path) -> Option<(TestEntry, bool)> {
    if let Some(entry) = wire::read_file(path) {
        return Some((entry, true));
    }
    entry_slots::read(path).map(|(entry, slot)| (entry, slot == Slot::Last))
}

/// Whether a child has left an entry.
pub fn is_written(path: &Path) -> bool {
    path.exists() || entry_slots::is_written(path)
}

/// Creates the directory and writes the target's note into it. Also returns the note. `installed`
/// says whether the binary's allocator is a tracing one, `c_untraced` why C's is not.
///
/// # Errors
///
/// When the note cannot be written.
pub fn write_target(
    directory: &Path,
    executable: &Path,
    installed: bool,
    c_untraced: Option<&str>,
) -> io::Result<TargetNote> {
    let mut note = target_note(executable);
    note.executable = executable.to_string_lossy().into_owned();
    if note.untraced.is_none() && !installed {
        note.untraced = Some("its linker has left the tracing allocator out".to_owned());
    }
    note.c_untraced = c_untraced.filter(|_| note.untraced.is_none()).map(str::to_owned);
    write(&directory.join(TARGET_FILE), &note)?;
    Ok(note)
}

/// Reads the note that the wrapper left beside a binary. Without a note, cargo's variables name the
/// package.
pub fn target_note(executable: &Path) -> TargetNote {
    note_beside(executable).unwrap_or_else(|| {
        let stem = stem(executable);
        TargetNote {
            package: std::env::var("CARGO_PKG_NAME").unwrap_or_default(),
            version: std::env::var("CARGO_PKG_VERSION").unwrap_or_default(),
            crate_name: stem
                .rsplit_once('-')
                .map_or(stem.as_str(), |(name, _hash)| name)
                .to_owned(),
            is_program: false,
            src_path: String::new(),
            executable: String::new(),
            untraced: None,
            is_optimised: true,
            c_untraced: None,
            command: String::new(),
            doctests: None,
        }
    })
}

/// Whether there is a note beside a binary that calls it a test. Programs have their notes
/// elsewhere, because cargo gives their files other names.
pub fn is_noted_as_test(executable: &Path) -> bool {
    note_beside(executable).is_some_and(|note| !note.is_program)
}

fn note_beside(executable: &Path) -> Option<TargetNote> {
    wire::read_file(&executable.with_file_name(format!("{}.{NOTE_EXTENSION}", stem(executable))))
}

fn stem(executable: &Path) -> String {
    let name = executable.file_name().unwrap_or_default().to_string_lossy();
    name.strip_suffix(std::env::consts::EXE_SUFFIX).unwrap_or(&name).to_owned()
}

/// Writes an entry or a note as a whole. Creates its directory if needed.
///
/// # Errors
///
/// When the file cannot be written.
pub fn write(path: &Path, value: &impl Exchanged) -> io::Result<()> {
    // The name contains the process id, because under nextest several processes of one binary write
    // at once.
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    std::fs::write(&temporary, wire::to_bytes(value))?;
    std::fs::rename(temporary, path)
}
