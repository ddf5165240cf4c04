//! Known leaks of the configuration and of the baseline: those that are there, and those that no
//! longer occur.

use std::collections::{HashMap, HashSet};

use tracemalloc_harness::{GrowthKind, Outcome, TestEntry, Verdict};

use crate::cli::Deny;
use crate::config::KnownLeak;
use crate::report::document::Target;
use crate::report::leak::Leak;
use crate::report::stale_leak::StaleLeak;
use crate::report::test_leaks::held_once;

/// From so many runs on, memory that has stopped growing has stopped.
const RUNS_OF_A_PAUSE: usize = 16;

/// Marks the leaks that are known by their fingerprint. A test whose failing leaks are all known is
/// known too. The harness has marked the leaks that are known by patterns.
pub fn apply_known_leaks<'a>(
    leaks: &mut [Leak],
    targets: &mut [Target],
    known_leaks: impl Iterator<Item = &'a KnownLeak>,
    deny: &[Deny],
) {
    let by_id = first_by_id(known_leaks);
    let mut reasons: HashMap<String, String> = HashMap::new();
    for leak in leaks.iter_mut() {
        let Some(known) = by_id.get(leak.id.as_str()) else { continue };
        leak.known = Some(known.known());
        leak.known_bytes = known.max_growth;
        let functions = leak.functions().into_iter();
        let new = functions.filter(|function| !known.functions.contains(function));
        leak.new_functions = if known.functions.is_empty() { Vec::new() } else { new.collect() };
        if known.max_growth.is_none_or(|most| leak.rate().least <= most) {
            leak.verdict = GrowthKind::Known;
            reasons.insert(leak.id.clone(), known.reason.clone());
        }
    }
    let fails = |id: &String| leaks.iter().any(|leak| leak.id == *id && leak.fails(deny));
    for test in targets.iter_mut().flat_map(|target| &mut target.tests) {
        let reason = test.leaks.iter().find_map(|id| reasons.get(id));
        if let Some(reason) = reason
            && !test.leaks.iter().any(fails)
            && matches!(test.verdict, Some(Verdict::Leak | Verdict::Unconfirmed | Verdict::Once))
        {
            test.verdict = Some(Verdict::Known);
            test.verdict_reason = Some(reason.clone());
        }
    }
    leaks.sort_by_key(|leak| leak.verdict);
}

/// The known leaks that no test of the report has. Tests that have shown such a leak must have been
/// judged, as far as they still exist.
pub fn stale_known_leaks<'a>(
    known_leaks: impl Iterator<Item = &'a KnownLeak>,
    targets: &[Target],
    leaks: &[Leak],
) -> Vec<StaleLeak> {
    let tests = || targets.iter().flat_map(|target| &target.tests);
    let growth = tests().flat_map(|test| &test.growth);
    let by_pattern = growth.filter_map(|growth| growth.known.as_ref());
    let seen: HashSet<&str> = by_pattern.map(|known| known.place.as_str()).collect();
    let ids: HashSet<&str> = leaks.iter().map(|leak| leak.id.as_str()).collect();
    let may_go_on = may_go_on(targets);
    let not_judged = tests().filter(|test| !is_judged(test)).map(|test| test.name.as_str());
    let not_judged: HashSet<&str> = not_judged.collect();
    let stale = known_leaks.filter(|known| match &known.id {
        Some(id) if ids.contains(id.as_str()) || may_go_on.contains(id) => false,
        Some(_) => !known.tests.iter().any(|test| not_judged.contains(test.as_str())),
        None => !seen.contains(known.place.as_str()),
    });
    stale.map(StaleLeak::from).collect()
}

/// The fingerprints of held memory that grew and then paused, in so few runs that a buffer may have
/// had room for the rest. A slow machine runs a test that often.
pub fn may_go_on(targets: &[Target]) -> HashSet<String> {
    let mut ids = HashSet::new();
    for target in targets {
        let names: HashSet<&str> = target.tests.iter().map(|test| test.name.as_str()).collect();
        let tests = target.tests.iter();
        for test in tests.filter(|test| (2..RUNS_OF_A_PAUSE).contains(&test.runs.len())) {
            ids.extend(held_once(target, test, &names));
        }
    }
    ids
}

/// Whether a test has passed, and has a verdict on its memory.
pub fn is_judged(test: &TestEntry) -> bool {
    let has_verdict = test.verdict.is_some_and(|verdict| verdict != Verdict::Skipped);
    test.outcome == Outcome::Passed && has_verdict
}

/// Known leaks of one fingerprint, as warnings: the first one counts.
pub fn known_twice<'a>(known_leaks: impl Iterator<Item = &'a KnownLeak>) -> Vec<String> {
    let all: Vec<&KnownLeak> = known_leaks.collect();
    let by_id = first_by_id(all.iter().copied());
    let mut warnings = Vec::new();
    for known in all {
        let Some(id) = known.id.as_deref() else { continue };
        let first = by_id[id];
        if first.place != known.place {
            let (first, place) = (&first.place, &known.place);
            warnings.push(format!(
                "the known leak {id} at {place} is a duplicate: {first} has the same id, and \
                 counts; remove one of them"
            ));
        }
    }
    warnings
}

/// The known leaks with a fingerprint. Of several with one fingerprint, the first one counts.
fn first_by_id<'a>(
    known_leaks: impl Iterator<Item = &'a KnownLeak>,
) -> HashMap<&'a str, &'a KnownLeak> {
    let mut by_id = HashMap::new();
    for known in known_leaks {
        if let Some(id) = &known.id {
            by_id.entry(id.as_str()).or_insert(known);
        }
    }
    by_id
}
