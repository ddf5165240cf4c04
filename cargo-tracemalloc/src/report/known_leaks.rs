//! Known leaks of the configuration and of the baseline: those that are there, and those that no
//! longer occur.

use std::collections::{HashMap, HashSet};

use tracemalloc_harness::{GrowthKind, Known, Verdict};

use crate::cli::Deny;
use crate::config::KnownLeak;
use crate::report::document::Target;
use crate::report::leak::Leak;

/// Marks the leaks that are known by their fingerprint. A test whose failing leaks are all known is
/// known too. The harness has marked the leaks that are known by patterns.
pub fn apply_known_leaks<'a>(
    leaks: &mut [Leak],
    targets: &mut [Target],
    known_leaks: impl Iterator<Item = &'a KnownLeak>,
    deny: &[Deny],
) {
    let known_leaks: HashMap<&str, &KnownLeak> =
        known_leaks.filter_map(|known| Some((known.id.as_deref()?, known))).collect();
    let mut reasons: HashMap<String, String> = HashMap::new();
    for leak in leaks.iter_mut() {
        let Some(known) = known_leaks.get(leak.id.as_str()) else { continue };
        leak.known = Some(known.known());
        leak.known_bytes = known.max_growth;
        if known.max_growth.is_none_or(|most| leak.bytes <= most) {
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

/// The known leaks that no test of the report has.
pub fn stale_known_leaks<'a>(
    known_leaks: impl Iterator<Item = &'a KnownLeak>,
    targets: &[Target],
    leaks: &[Leak],
) -> Vec<Known> {
    let growth = targets.iter().flat_map(|target| &target.tests).flat_map(|test| &test.growth);
    let by_pattern = growth.filter_map(|growth| growth.known.as_ref());
    let by_id = leaks.iter().filter_map(|leak| leak.known.as_ref());
    let seen: HashSet<&str> = by_pattern.chain(by_id).map(|known| known.place.as_str()).collect();
    let stale = known_leaks.filter(|one| !seen.contains(one.place.as_str()));
    stale.map(KnownLeak::known).collect()
}
