//! Leaks that are known by their fingerprint, for tests that no command waits for.
//!
//! The harness knows no fingerprints. Where the command reads all fragments, it finds them there.

use camino::Utf8Path;
use tracemalloc_harness::{Session, TargetNote, TestEntry, Verdict};

use crate::cli::Deny;
use crate::config::KnownLeak;
use crate::report::{Kind, SourceLines, Target, apply_known_leaks, leaks};

/// The entry with the verdict `known`, if all leaks that fail it are known by their fingerprint.
pub fn applied(
    entry: TestEntry,
    note: &TargetNote,
    session: &Session,
    names: &[String],
) -> TestEntry {
    let fail_on = session.fail_on.as_deref().unwrap_or_default();
    let fails = entry.verdict.is_some_and(|verdict| fail_on.contains(&verdict));
    if session.known_ids.is_empty() || !fails {
        return entry;
    }
    let denied = [(Verdict::Once, Deny::Once), (Verdict::Unconfirmed, Deny::Unconfirmed)];
    let denied = denied.into_iter().filter(|(verdict, _)| fail_on.contains(verdict));
    let deny: Vec<Deny> = denied.map(|(_, deny)| deny).collect();
    let others = names.iter().filter(|name| **name != entry.name).map(|name| TestEntry::new(name));
    let others: Vec<TestEntry> = others.collect();
    let mut targets = [Target {
        package: note.package.clone(),
        version: note.version.clone(),
        kind: Kind::Lib,
        name: note.crate_name.clone(),
        src: note.src_path.clone(),
        traced: true,
        note: None,
        c_untraced: None,
        processes: None,
        tests: std::iter::once(entry).chain(others).collect(),
        executable: None,
        is_optimised: true,
    }];
    let mut found =
        leaks(&mut targets, &deny, &SourceLines::new(Utf8Path::new(&session.workspace)));
    let known: Vec<KnownLeak> = session.known_ids.iter().map(KnownLeak::from).collect();
    apply_known_leaks(&mut found, &mut targets, known.iter(), &deny);
    let [target] = targets;
    target.tests.into_iter().next().expect("the test comes first")
}
