//! One report of several: of shards, of jobs, or of attempts.

use std::collections::{BTreeMap, BTreeSet};

use tracemalloc_harness::{GrowthEntry, Outcome, TestEntry, Verdict};

use crate::report::document::{Doctests, Report, Target};
use crate::report::leak::{Leak, LeakTest, Site, TestKey};
use crate::report::leaks;
use crate::report::stale_leak::StaleLeak;

/// The entry that counts if several reports have the same test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameTest {
    /// The worst one. The leaks of all count.
    Worst,
    /// The last one that ran, with its leaks alone.
    Last,
}

/// Merges reports, in their order. `None` without any.
pub fn merged(reports: Vec<Report>, same_test: SameTest) -> Option<Report> {
    let mut merged = reports.into_iter().reduce(|merged, other| add(merged, other, same_test))?;
    leaks::sort(&mut merged.leaks);
    merged.summary = Target::summary(&merged.targets);
    Some(merged)
}

fn add(mut report: Report, other: Report, same_test: SameTest) -> Report {
    if same_test == SameTest::Last {
        drop_leaks_of_rerun_tests(&mut report, &other);
    }
    report.leaks = add_leaks(report.leaks, other.leaks);
    report.targets = add_targets(report.targets, other.targets, same_test);
    report.rustc = add_words(report.rustc, &other.rustc);
    report.target_triple = add_words(report.target_triple, &other.target_triple);
    report.options.deny.extend(other.options.deny);
    report.options.deny.sort();
    report.options.deny.dedup();
    report.options.no_fail &= other.options.no_fail;
    report.options.known_holders &= other.options.known_holders;
    report.doctests = add_doctests(report.doctests, other.doctests, same_test);
    report.stale_known_leaks = add_stale(report.stale_known_leaks, other.stale_known_leaks);
    report
}

/// Removes the leaks of an earlier attempt at tests that ran again.
fn drop_leaks_of_rerun_tests(report: &mut Report, again: &Report) {
    let rerun: BTreeSet<TestKey<'_>> = again
        .tests()
        .filter(|(_, test)| ran(test))
        .map(|(target, test)| target.test_key(test))
        .collect();
    let mut leaks = std::mem::take(&mut report.leaks);
    for leak in &mut leaks {
        let before = leak.tests.len();
        leak.tests.retain(|test| !rerun.contains(&test.key()));
        if leak.tests.len() == before {
            continue;
        }
        leak.measure();
        let left: BTreeSet<TestKey<'_>> = leak.tests.iter().map(LeakTest::key).collect();
        let growth = report.tests().filter(|(target, test)| left.contains(&target.test_key(test)));
        let growth: Vec<&GrowthEntry> = growth.flat_map(|(_, test)| &test.growth).collect();
        keep_sites(&mut leak.sites, &growth);
    }
    leaks.retain(|leak| !leak.tests.is_empty());
    report.leaks = leaks;
}

/// Keeps the sites at which this growth was allocated, with its amounts. Tests that lose a block of
/// one fingerprint allocate it in the same functions: without any such site, all stay.
fn keep_sites(sites: &mut Vec<Site>, growth: &[&GrowthEntry]) {
    let mut kept: Vec<Site> = sites.clone();
    kept.retain_mut(|site| {
        let of_site = growth.iter().filter(|growth| {
            growth.type_name == site.type_name && growth.traceback.last() == site.traceback.last()
        });
        let Some(most) = of_site.max_by_key(|growth| (growth.bytes, growth.blocks)) else {
            return false;
        };
        if most.traceback != site.traceback {
            site.traceback = most.traceback.clone();
            site.total_nframe = most.total_nframe;
        }
        (site.bytes, site.blocks) = (most.bytes, most.blocks);
        true
    });
    if !kept.is_empty() {
        *sites = kept;
    }
}

/// Merges leaks by fingerprint. A test that shows the same leak twice shows it once.
fn add_leaks(mut leaks: Vec<Leak>, mut others: Vec<Leak>) -> Vec<Leak> {
    for leak in &mut leaks {
        let Some(other) = others.iter_mut().find(|other| other.id == leak.id) else { continue };
        leak.tests.retain(|test| {
            let same = other.tests.iter_mut().find(|same| same.key() == test.key());
            same.map(|same| keep_most(same, test)).is_none()
        });
    }
    leaks.append(&mut others);
    leaks::merged(leaks)
}

fn keep_most(test: &mut LeakTest, other: &LeakTest) {
    let rate = test.rate().max(other.rate());
    let most = (test.bytes, test.blocks).max((other.bytes, other.blocks));
    (test.bytes, test.blocks) = most;
    test.rate = rate.unless_exactly(test.bytes);
    let most = (test.total_bytes, test.total_blocks).max((other.total_bytes, other.total_blocks));
    (test.total_bytes, test.total_blocks) = most;
}

fn add_targets(targets: Vec<Target>, others: Vec<Target>, same_test: SameTest) -> Vec<Target> {
    let mut merged: BTreeMap<_, Target> = BTreeMap::new();
    for target in targets.into_iter().chain(others) {
        let key =
            (target.package.clone(), target.kind, target.name.clone(), target.version.clone());
        match merged.get_mut(&key) {
            Some(known) => add_target(known, target, same_test),
            None => {
                merged.insert(key, target);
            }
        }
    }
    merged.into_values().collect()
}

fn add_target(target: &mut Target, other: Target, same_test: SameTest) {
    target.note = if target.traced || other.traced { None } else { target.note.take() };
    target.traced |= other.traced;
    if let (Some(processes), Some(other)) = (&mut target.processes, other.processes) {
        match same_test {
            SameTest::Worst => processes.add(other),
            SameTest::Last => *processes = other,
        }
    }
    for test in other.tests {
        match target.tests.iter_mut().find(|known| known.name == test.name) {
            Some(known) => add_test(known, test, same_test),
            None => target.tests.push(test),
        }
    }
    target.tests.sort_by(|a, b| a.name.cmp(&b.name));
}

fn add_test(test: &mut TestEntry, mut other: TestEntry, same_test: SameTest) {
    let replaces = match same_test {
        SameTest::Worst => badness(&other) > badness(test),
        SameTest::Last => ran(&other) || !ran(test),
    };
    if replaces {
        std::mem::swap(test, &mut other);
    }
    if same_test == SameTest::Worst {
        test.leaks.append(&mut other.leaks);
        test.leaks.sort();
        test.leaks.dedup();
    }
}

fn ran(test: &TestEntry) -> bool {
    test.outcome != Outcome::Ignored
}

/// The order of entries, the worst last.
fn badness(test: &TestEntry) -> u8 {
    match (test.outcome, test.verdict) {
        (Outcome::Failed, _) => 8,
        (_, Some(Verdict::Leak)) => 7,
        (_, Some(Verdict::Unconfirmed)) => 6,
        (_, Some(Verdict::Known)) => 5,
        (_, Some(Verdict::Once)) => 4,
        (_, Some(Verdict::Clean)) => 3,
        (_, Some(Verdict::Skipped)) => 2,
        (Outcome::Passed, None) => 1,
        (Outcome::Ignored, None) => 0,
    }
}

/// Adds the items that the list does not have yet, behind a comma.
fn add_words(list: String, other: &str) -> String {
    let has = |word: &&str| !list.split(',').any(|known| known == *word);
    let new: Vec<&str> = other.split(',').filter(has).collect();
    [list.as_str()].into_iter().chain(new).collect::<Vec<_>>().join(",")
}

/// The doctests of all reports. Reports that have a package in common ran the same doctests.
fn add_doctests(
    doctests: Option<Doctests>,
    other: Option<Doctests>,
    same_test: SameTest,
) -> Option<Doctests> {
    let (Some(mut all), Some(other)) = (doctests.clone(), other.clone()) else {
        return doctests.or(other);
    };
    if other.packages.iter().any(|package| all.packages.contains(package)) {
        let is_worse = (other.failed, other.passed) > (all.failed, all.passed);
        let replaces = same_test == SameTest::Last || is_worse;
        let mut packages = [all.packages.clone(), other.packages.clone()].concat();
        packages.sort();
        packages.dedup();
        return Some(Doctests { packages, ..if replaces { other } else { all } });
    }
    all.passed += other.passed;
    all.failed += other.failed;
    all.ignored += other.ignored;
    all.packages.extend(other.packages);
    all.packages.sort();
    Some(all)
}

/// A known leak is stale if no report has it, and if all reports are of whole suites.
fn add_stale(
    stale: Option<Vec<StaleLeak>>,
    other: Option<Vec<StaleLeak>>,
) -> Option<Vec<StaleLeak>> {
    let (mut stale, other) = (stale?, other?);
    stale.retain(|known| other.contains(known));
    Some(stale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracemalloc::Domain;
    use tracemalloc_harness::FrameEntry;

    fn frame(line: u32) -> FrameEntry {
        let (function, file) = ("app::grow".to_owned(), "src/lib.rs".to_owned());
        FrameEntry { function, file, line, column: 5 }
    }

    fn site(line: u32, bytes: u64) -> Site {
        Site {
            domain: Domain::Rust,
            type_name: Some("String".to_owned()),
            bytes,
            blocks: 1,
            source: None,
            traceback: vec![frame(1), frame(line)],
            total_nframe: 2,
        }
    }

    fn growth(line: u32, bytes: u64) -> GrowthEntry {
        let json = serde_json::json!({
            "kind": "leak", "bytes": bytes, "blocks": 1, "total_bytes": bytes, "total_blocks": 1,
            "runs": 1, "type": "String", "initialiser": null, "retained": null, "holder": null,
            "head_traceback": [], "path": [], "path_steps": 0, "cycle": [], "cycle_steps": 0,
            "known": null, "traceback": [frame(2), frame(line)], "total_nframe": 2
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn only_sites_of_tests_that_did_not_run_again_stay() {
        let mut sites = vec![site(10, 300), site(20, 200), site(30, 100)];
        let (small, large) = (growth(20, 7), growth(20, 8));
        keep_sites(&mut sites, &[&small, &large]);
        let [left] = sites.as_slice() else { panic!("one site is left: {sites:?}") };
        assert_eq!((left.bytes, left.traceback[1].line), (8, 20));
        assert_eq!(left.traceback[0].line, 2, "the traceback is that of the growth");
        // A lost block of the same fingerprint: its sites are those of one test.
        let other = growth(40, 8);
        keep_sites(&mut sites, &[&other]);
        assert_eq!(sites.len(), 1);
    }
}
