//! The leaks of a whole report: those of all tests, by fingerprint.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use tracemalloc_harness::FrameEntry;

use crate::cli::Deny;
use crate::report::document::Target;
use crate::report::leak::{Leak, LeakKind, LeakTest, Site};
use crate::report::source_lines::SourceLines;
use crate::report::test_leaks::test_leaks;

/// Collects the leaks, the worst and largest first, and notes in each test which ones it shows.
pub fn leaks(targets: &mut [Target], deny: &[Deny], sources: &SourceLines) -> Vec<Leak> {
    let mut leaks: Vec<Leak> = Vec::new();
    for target in targets {
        let names: HashSet<&str> = target.tests.iter().map(|test| test.name.as_str()).collect();
        let of_test = |test| test_leaks(target, test, &names, deny, sources);
        let of_target: Vec<Vec<Leak>> = target.tests.iter().map(of_test).collect();
        for (test, of_test) in target.tests.iter_mut().zip(of_target) {
            test.leaks = of_test.iter().map(|leak| leak.id.clone()).collect();
            test.leaks.sort();
            test.leaks.dedup();
            leaks.extend(of_test);
        }
    }
    let mut leaks = merged(leaks);
    sort(&mut leaks);
    leaks
}

/// Sorts leaks, the worst and largest first.
pub fn sort(leaks: &mut [Leak]) {
    leaks.sort_by(|a, b| {
        let key = |leak: &Leak| (leak.verdict, leak.kind, Reverse(leak.bytes));
        key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id))
    });
}

/// Merges leaks of one fingerprint.
pub fn merged(leaks: Vec<Leak>) -> Vec<Leak> {
    let mut merged: Vec<Leak> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for leak in leaks {
        match places.get(&leak.id) {
            Some(place) => add(&mut merged[*place], leak),
            None => {
                places.insert(leak.id.clone(), merged.len());
                merged.push(leak);
            }
        }
    }
    for leak in &mut merged {
        let total = |of: fn(&LeakTest) -> u64| leak.tests.iter().map(of).sum();
        (leak.total_bytes, leak.total_blocks) =
            (total(|test| test.total_bytes), total(|test| test.total_blocks));
        leak.measure();
        leak.tests.sort_by(|a, b| {
            (b.bytes, b.blocks).cmp(&(a.bytes, a.blocks)).then_with(|| a.key().cmp(&b.key()))
        });
        let sites = std::mem::take(&mut leak.sites);
        leak.sites = match leak.kind {
            LeakKind::Lost | LeakKind::Cycle => of_one_test(sites),
            LeakKind::Held | LeakKind::Grown => by_place(sites),
        };
    }
    merged
}

/// Adds the same leak of another test. The text is that of the test with the most bytes a run.
fn add(leak: &mut Leak, mut other: Leak) {
    if (other.bytes, other.blocks) > (leak.bytes, leak.blocks) {
        std::mem::swap(leak, &mut other);
    }
    leak.verdict = leak.verdict.min(other.verdict);
    leak.other_types.extend(other.type_name.take());
    leak.other_types.append(&mut other.other_types);
    leak.other_types.sort();
    leak.other_types.dedup();
    leak.other_types.retain(|other| Some(other) != leak.type_name.as_ref());
    // The sites of lost memory are those of one test.
    if matches!(leak.kind, LeakKind::Held | LeakKind::Grown) {
        leak.sites.extend(other.sites);
    }
    for test in other.tests {
        match leak.tests.iter_mut().find(|known| known.key() == test.key()) {
            // A test may lose several blocks of one fingerprint.
            Some(known) => {
                let rate = known.rate().plus(test.rate());
                known.bytes += test.bytes;
                known.blocks += test.blocks;
                known.total_bytes += test.total_bytes;
                known.total_blocks += test.total_blocks;
                known.rate = rate.unless_exactly(known.bytes);
                (leak.bytes, leak.blocks) =
                    (leak.bytes.max(known.bytes), leak.blocks.max(known.blocks));
            }
            None => leak.tests.push(test),
        }
    }
}

/// The sites of a lost block: the root alone, then those of one place as their sum. Code of one
/// place may allocate the root and what it retains: `vec![text; 3]` clones the text.
fn of_one_test(mut sites: Vec<Site>) -> Vec<Site> {
    let root = sites.drain(..1.min(sites.len())).collect::<Vec<_>>();
    let mut others: Vec<Site> = Vec::new();
    for site in sites {
        let same = others
            .iter_mut()
            .find(|other| other.traceback == site.traceback && other.type_name == site.type_name);
        match same {
            Some(same) => {
                same.bytes += site.bytes;
                same.blocks += site.blocks;
            }
            None => others.push(site),
        }
    }
    others.sort_by_key(|site| Reverse(site.bytes));
    [root, others].concat()
}

/// The sites of one place as one, with the most that one of them grew by. The first stays first.
fn by_place(sites: Vec<Site>) -> Vec<Site> {
    let mut merged: Vec<Site> = Vec::new();
    let mut places: HashMap<(String, u32, u32, Option<String>), usize> = HashMap::new();
    for site in sites {
        let recent = site.traceback.last();
        let place = |of: fn(&FrameEntry) -> u32| recent.map_or(0, of);
        let file = recent.map(|frame| frame.file.clone()).unwrap_or_default();
        let key =
            (file, place(|frame| frame.line), place(|frame| frame.column), site.type_name.clone());
        match places.get(&key) {
            Some(index) => {
                let known = &mut merged[*index];
                if (site.bytes, site.blocks) > (known.bytes, known.blocks) {
                    *known = site;
                }
            }
            None => {
                places.insert(key, merged.len());
                merged.push(site);
            }
        }
    }
    if let Some((_, others)) = merged.split_first_mut() {
        others.sort_by_key(|site| Reverse(site.bytes));
    }
    merged
}
