//! The test targets that the wrapper compiled without the harness. They leave no fragment, so only
//! the note beside the binary tells of them.

use std::collections::BTreeMap;
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::Metadata;
use tracemalloc_harness::{NOTE_EXTENSION, TargetNote};

use crate::cli::CargoOptions;
use crate::report::document::Target;
use crate::report::selection::{is_selected, selects_target};
use crate::report::targets::target_of_note;

/// The directories, in cargo's target directory, that have test binaries.
const DIRS: [&str; 2] = ["deps", "examples"];

/// The targets that these options select, and that have run untraced without leaving a fragment.
pub fn untraced_targets(
    target_dir: &Utf8Path,
    options: &CargoOptions,
    metadata: &Metadata,
    reported: &[Target],
) -> Vec<Target> {
    let packages = metadata.workspace_packages();
    let is_reported = |target: &Target| {
        reported.iter().any(|other| {
            (&other.package, &other.version, other.kind, &other.name)
                == (&target.package, &target.version, target.kind, &target.name)
        })
    };
    let mut newest: BTreeMap<_, (SystemTime, TargetNote)> = BTreeMap::new();
    for (path, modified) in notes(target_dir) {
        let Ok(content) = std::fs::read(&path) else { continue };
        // A note of another version is of a binary that this run did not start.
        let Ok(note) = tracemalloc_harness::from_bytes::<TargetNote>(&content) else { continue };
        let key = (note.package.clone(), note.src_path.clone(), note.crate_name.clone());
        if newest.get(&key).is_none_or(|(known, _)| *known < modified) {
            newest.insert(key, (modified, note));
        }
    }
    let untraced = newest.into_values().filter(|(_, note)| note.untraced.is_some());
    let mut targets: Vec<Target> = untraced
        .filter(|(_, note)| {
            packages.iter().any(|package| {
                package.name == note.package && is_selected(package, options, metadata)
            })
        })
        .map(|(_, note)| target_of_note(note, metadata))
        .filter(|target| selects_target(options, target.kind, &target.name))
        .filter(|target| !is_reported(target))
        .collect();
    targets.sort_by(|a, b| (&a.package, a.kind, &a.name).cmp(&(&b.package, b.kind, &b.name)));
    targets
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
