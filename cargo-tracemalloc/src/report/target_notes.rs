//! The wrapper's notes beside test binaries and programs.

use std::collections::BTreeMap;
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use tracemalloc_harness::{NOTE_EXTENSION, TargetNote};

/// The directories, in cargo's target directory, that have test binaries.
const DIRS: [&str; 2] = ["deps", "examples"];

/// The newest note of each target.
pub fn newest_notes(target_dir: &Utf8Path) -> Vec<TargetNote> {
    let mut newest: BTreeMap<_, (SystemTime, TargetNote)> = BTreeMap::new();
    for (path, modified) in notes(target_dir) {
        let Ok(content) = std::fs::read(&path) else { continue };
        // A note of another version is of a binary that this run did not start.
        let Ok(note) = tracemalloc_harness::from_bytes::<TargetNote>(&content) else { continue };
        let key =
            (note.package.clone(), note.src_path.clone(), note.crate_name.clone(), note.is_program);
        if newest.get(&key).is_none_or(|(known, _)| *known < modified) {
            newest.insert(key, (modified, note));
        }
    }
    newest.into_values().map(|(_, note)| note).collect()
}

/// All notes, with their times: `<profile>/deps/*` and, with `--target`,
/// `<triple>/<profile>/deps/*`.
fn notes(target_dir: &Utf8Path) -> Vec<(Utf8PathBuf, SystemTime)> {
    let profiles = dirs(target_dir);
    let of_triples = profiles.iter().flat_map(|dir| dirs(dir));
    let candidates: Vec<Utf8PathBuf> = profiles.iter().cloned().chain(of_triples).collect();
    let mut notes = Vec::new();
    for dir in candidates.iter().flat_map(|dir| DIRS.map(|name| dir.join(name))) {
        let Ok(entries) = dir.read_dir_utf8() else { continue };
        for entry in entries.flatten() {
            let is_note = entry.path().extension() == Some(NOTE_EXTENSION);
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            if let (true, Ok(modified)) = (is_note, modified) {
                notes.push((entry.into_path(), modified));
            }
        }
    }
    notes
}

fn dirs(dir: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Ok(entries) = dir.read_dir_utf8() else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.into_path());
    paths.filter(|path| path.is_dir()).collect()
}
