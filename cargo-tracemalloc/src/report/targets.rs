//! Merges the harness's fragments into the report's targets.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{Metadata, Package, TargetKind};
use fs_err as fs;
use tracemalloc_harness::{
    ENTRY_EXTENSION, Exchanged, TARGET_FILE, TargetNote, TestEntry, entry_slots,
};

use crate::cli::Deny;
use crate::report::declarations::Statics;
use crate::report::document::Target;
use crate::report::field_names::name_fields;
use crate::report::kind::Kind;
use crate::report::paths;

/// Reads all fragments, in the report's order. Also returns the reasons why some cannot be read.
pub fn targets(
    fragments: &Utf8Path,
    metadata: &Metadata,
    deny: &[Deny],
) -> Result<(Vec<Target>, Vec<String>)> {
    let mut damaged = Vec::new();
    // A target may have run for several target triples.
    let mut targets: BTreeMap<_, Target> = BTreeMap::new();
    let mut dirs: Vec<_> = list(fragments)?;
    dirs.sort();
    for dir in dirs {
        let note_path = dir.join(TARGET_FILE);
        if !note_path.exists() {
            continue;
        }
        let note: TargetNote = match read(&note_path) {
            Ok(note) => note,
            Err(error) => {
                damaged.push(format!("{error:#}"));
                continue;
            }
        };
        let statics = Statics::new(note.executable.clone().into(), metadata);
        let target = target_of_note(note, metadata);
        let mut tests = Vec::new();
        for path in list(&dir)? {
            if path.extension() == Some(ENTRY_EXTENSION) {
                // A program with a `main` of its own leaves its last entry in the slots.
                let entry = entry_slots::read(path.as_std_path());
                match entry.map_or_else(|| read(&path), |(entry, _)| Ok(entry)) {
                    Ok(entry) => tests.push(entry),
                    Err(error) => damaged.push(format!("{error:#}")),
                }
            }
        }
        let is_listed =
            |test: &&mut TestEntry| test.verdict.is_some_and(|verdict| Deny::lists(deny, verdict));
        let listed = tests.iter_mut().filter(is_listed);
        statics.declare(
            listed.flat_map(|test| &mut test.growth).filter_map(|growth| growth.holder.as_mut()),
        );
        if let Some(binary) = &target.executable {
            let listed = tests.iter_mut().filter(is_listed);
            let growth = listed.flat_map(|test| &mut test.growth);
            name_fields(binary.as_std_path(), target.is_optimised, growth);
        }
        let key =
            (target.package.clone(), target.kind, target.name.clone(), target.version.clone());
        targets.entry(key).or_insert(target).tests.extend(tests);
    }
    let mut targets: Vec<_> = targets.into_values().collect();
    for target in &mut targets {
        target.tests.sort_by(|a, b| a.name.cmp(&b.name));
    }
    Ok((targets, damaged))
}

/// Adds to a note the target's kind and name from the metadata.
pub fn target_of_note(note: TargetNote, metadata: &Metadata) -> Target {
    let found = metadata
        .workspace_packages()
        .into_iter()
        .filter(|package| {
            package.name == note.package && package.version.to_string() == note.version
        })
        .find_map(|package| find(package, &note));
    let (kind, name) = found.unwrap_or_else(|| (Kind::Lib, note.crate_name.clone()));
    let kind = match () {
        () if note.doctests.is_some() => Kind::Doctest,
        () if note.is_program => Kind::Program,
        () => kind,
    };
    Target {
        package: note.package,
        version: note.version,
        kind,
        name,
        src: paths::in_workspace(&metadata.workspace_root, &note.src_path),
        traced: note.untraced.is_none(),
        note: note.untraced,
        c_untraced: note.c_untraced,
        processes: None,
        tests: Vec::new(),
        executable: Some(note.executable).filter(|path| !path.is_empty()).map(Utf8PathBuf::from),
        is_optimised: note.is_optimised,
    }
}

fn find(package: &Package, note: &TargetNote) -> Option<(Kind, String)> {
    // Several targets may share a source file, and several may share a name.
    let target = package.targets.iter().find(|target| {
        target.src_path == note.src_path && target.name.replace('-', "_") == note.crate_name
    })?;
    Some((kind(&target.kind), target.name.clone()))
}

fn kind(kinds: &[TargetKind]) -> Kind {
    match kinds.first() {
        Some(TargetKind::Bin) => Kind::Bin,
        Some(TargetKind::Test) => Kind::Test,
        Some(TargetKind::Example) => Kind::Example,
        Some(TargetKind::Bench) => Kind::Bench,
        _ => Kind::Lib,
    }
}

pub fn list(dir: &Utf8Path) -> Result<Vec<camino::Utf8PathBuf>> {
    let entries = dir.read_dir_utf8().with_context(|| format!("failed to list `{dir}`"))?;
    entries.map(|entry| Ok(entry?.into_path())).collect()
}

pub fn read<T: Exchanged>(path: &Utf8Path) -> Result<T> {
    tracemalloc_harness::from_bytes(&fs::read(path)?)
        .with_context(|| format!("failed to parse fragment `{path}`"))
}
