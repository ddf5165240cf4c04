//! The programs that tests have started: the entries of all processes of one program and one test,
//! merged into one.

use std::collections::BTreeMap;

use anyhow::Result;
use camino::Utf8Path;
use cargo_metadata::Metadata;
use tracemalloc_harness::{
    CLEAN_FILE, ENTRY_EXTENSION, GrowthEntry, GrowthKind, PROGRAMS_EXTENSION, STARTER_FILE,
    Starter, TARGET_FILE, TargetNote, TestEntry, Verdict, entry_slots,
};

use crate::report::document::{Processes, Target};
use crate::report::kind::Kind;
use crate::report::target_notes::newest_notes;
use crate::report::targets::{list, read, target_of_note};

/// Reads what the programs have left, by program. Also returns the reasons why something cannot be
/// read.
pub fn programs(
    fragments: &Utf8Path,
    target_dir: &Utf8Path,
    metadata: &Metadata,
) -> Result<(Vec<Target>, Vec<String>)> {
    let mut damaged = Vec::new();
    let mut targets: BTreeMap<_, Target> = BTreeMap::new();
    let mut dirs = Vec::new();
    for dir in list(fragments)?.into_iter().filter(|dir| dir.is_dir()) {
        dirs.extend(
            list(&dir)?.into_iter().filter(|dir| dir.extension() == Some(PROGRAMS_EXTENSION)),
        );
    }
    if dirs.is_empty() {
        return Ok((Vec::new(), damaged));
    }
    dirs.sort();
    let built = newest_notes(target_dir).into_iter().filter(|note| note.is_program);
    let built: Vec<Target> = built.map(|note| target_of_note(note, metadata)).collect();
    for of_test in dirs {
        let Ok(starter) = read::<Starter>(&of_test.join(STARTER_FILE)) else { continue };
        for dir in list(&of_test)?.into_iter().filter(|path| path.is_dir()) {
            let note_path = dir.join(TARGET_FILE);
            if !note_path.exists() {
                continue;
            }
            let target = match read(&note_path) {
                Ok(note) => target(note, &starter, &built, metadata),
                Err(error) => {
                    damaged.push(format!("{error:#}"));
                    continue;
                }
            };
            let key = (target.package.clone(), target.name.clone(), target.version.clone());
            let target = targets.entry(key).or_insert(target);
            let mut runs = Runs::default();
            runs.read(&dir, &mut damaged)?;
            let processes = runs.processes();
            let judged = if target.traced { processes.judged } else { 0 };
            target.processes.get_or_insert_default().add(Processes { judged, ..processes });
            add(target, runs.entry(&starter.full_name(), target.traced));
        }
    }
    Ok((targets.into_values().collect(), damaged))
}

/// The target of a program, from the note that its process has left, and from those that the
/// wrapper has left. A program that a test has copied is known by the name of its file.
fn target(left: TargetNote, starter: &Starter, built: &[Target], metadata: &Metadata) -> Target {
    let executable = Utf8Path::new(&left.executable);
    let name = executable.file_stem().unwrap_or_default();
    let built = built.iter().find(|target| target.name == name);
    let target = built.cloned().unwrap_or_else(|| {
        let package = starter.package.clone();
        let note = TargetNote { package, is_program: true, ..left.clone() };
        Target { name: name.to_owned(), ..target_of_note(note, metadata) }
    });
    Target {
        executable: Some(executable.to_owned()),
        traced: left.untraced.is_none(),
        note: target.note.or(left.untraced),
        c_untraced: left.c_untraced,
        kind: Kind::Program,
        ..target
    }
}

/// Adds the entry of one test. Two targets with tests may have one name.
fn add(target: &mut Target, entry: TestEntry) {
    match target.tests.iter_mut().find(|known| known.name == entry.name) {
        Some(known) => {
            let known_entry = std::mem::replace(known, TestEntry::new(&entry.name));
            let both = Runs { entries: vec![known_entry, entry], ..Runs::default() };
            *known = both.entry(&known.name, target.traced);
        }
        None => target.tests.push(entry),
    }
}

/// The processes of one program that one test has started.
#[derive(Debug, Default)]
struct Runs {
    entries: Vec<TestEntry>,
    clean: u64,
    unfinished: u64,
}

impl Runs {
    fn read(&mut self, dir: &Utf8Path, damaged: &mut Vec<String>) -> Result<()> {
        for path in list(dir)? {
            match path.extension() {
                Some(ENTRY_EXTENSION) => match read(&path) {
                    Ok(entry) => self.entries.push(entry),
                    Err(error) => damaged.push(format!("{error:#}")),
                },
                Some(entry_slots::EXTENSION) => {
                    let entry_path = path.with_extension(ENTRY_EXTENSION);
                    match entry_slots::read(entry_path.as_std_path()) {
                        Some((entry, _)) => self.entries.push(entry),
                        // It may have ended since the directory was listed.
                        None if entry_path.exists() || !path.exists() => {}
                        None => self.unfinished += 1,
                    }
                }
                _ if path.file_name() == Some(CLEAN_FILE) => self.clean = path.metadata()?.len(),
                _ => {}
            }
        }
        Ok(())
    }

    fn processes(&self) -> Processes {
        let is_judged = |entry: &&TestEntry| entry.verdict != Some(Verdict::Skipped);
        let judged = self.clean + self.entries.iter().filter(is_judged).count() as u64;
        let started = self.clean + self.entries.len() as u64 + self.unfinished;
        Processes { started, judged, unfinished: self.unfinished }
    }

    /// The entry for all processes.
    fn entry(self, name: &str, is_traced: bool) -> TestEntry {
        let Processes { started, unfinished, .. } = self.processes();
        let mut reasons: Vec<String> = Vec::new();
        if unfinished > 0 && is_traced {
            reasons.push(format!(
                "{unfinished} of {started} processes were not judged: {}",
                Processes::UNFINISHED
            ));
        }
        let mut merged = TestEntry::new(name);
        let mut verdicts: Vec<Verdict> = Vec::new();
        verdicts.extend((self.clean > 0).then_some(Verdict::Clean));
        for entry in self.entries {
            merged.duration_seconds = merged.duration_seconds.max(entry.duration_seconds);
            merged.limit = entry.limit;
            merged.runs.extend(entry.runs);
            merged.mismatches.extend(entry.mismatches);
            verdicts.extend(entry.verdict);
            reasons.extend(entry.verdict_reason.filter(|reason| !reasons.contains(reason)));
            entry.growth.into_iter().for_each(|growth| add_growth(&mut merged.growth, growth));
        }
        merged.growth.sort_by_key(|growth| std::cmp::Reverse((growth.bytes, growth.blocks)));
        let has = |verdict| verdicts.contains(&verdict);
        let worst =
            [Verdict::Leak, Verdict::Unconfirmed, Verdict::Known, Verdict::Once, Verdict::Clean];
        let worst = worst.into_iter().find(|verdict| has(*verdict));
        merged.verdict = worst.or(Some(Verdict::Skipped)).filter(|_| is_traced);
        merged.verdict_reason = Some(reasons.join("; ")).filter(|reason| !reason.is_empty());
        merged
    }
}

/// Adds the growth of one process to that of others. Growth of one traceback is one.
fn add_growth(all: &mut Vec<GrowthEntry>, growth: GrowthEntry) {
    let known = all.iter_mut().find(|known| {
        (known.domain, &known.type_name, &known.traceback, &known.holder, &known.head_traceback)
            == (
                growth.domain,
                &growth.type_name,
                &growth.traceback,
                &growth.holder,
                &growth.head_traceback,
            )
    });
    let Some(known) = known else {
        all.push(growth);
        return;
    };
    let is_smaller = (growth.bytes, growth.blocks) < (known.bytes, known.blocks);
    let total = (known.total_bytes + growth.total_bytes, known.total_blocks + growth.total_blocks);
    let runs = known.runs + growth.runs;
    let is_leak = known.kind == GrowthKind::Leak || growth.kind == GrowthKind::Leak;
    if is_smaller {
        *known = growth;
    }
    (known.total_bytes, known.total_blocks) = total;
    known.runs = runs;
    if is_leak {
        known.kind = GrowthKind::Leak;
    }
}
