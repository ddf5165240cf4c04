//! Known leaks of the configuration that no longer occur.

use tracemalloc_harness::Known;

use crate::config::KnownLeak;
use crate::report::document::Target;

/// The known leaks that no test of the report has.
pub fn stale_known_leaks(known_leaks: &[KnownLeak], targets: &[Target]) -> Vec<Known> {
    let growth = targets.iter().flat_map(|target| &target.tests).flat_map(|test| &test.growth);
    let seen: Vec<&str> = growth
        .filter_map(|growth| growth.known.as_ref())
        .map(|known| known.place.as_str())
        .collect();
    let stale = known_leaks.iter().filter(|one| !seen.contains(&one.place.as_str()));
    stale.map(|one| Known { place: one.place.clone(), reason: one.reason.clone() }).collect()
}
