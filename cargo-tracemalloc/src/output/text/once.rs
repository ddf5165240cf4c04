//! The tests whose growth came once, and the reason why it is no leak.

use tracemalloc::internal::judge::is_cache_of_std;
use tracemalloc_harness::{GrowthEntry, GrowthKind, Retained, TestEntry};

use crate::output::text::growth;

/// `grew once by 64 B in 1 block: under std::sync::OnceLock`.
pub fn reason(test: &TestEntry) -> String {
    let sum = growth::sum_of_all(&test.growth);
    let largest = test.growth.iter().max_by_key(|growth| growth.bytes);
    let why = largest.map_or_else(|| "its growth did not go on".to_owned(), why);
    format!("grew once by {sum}: {why}")
}

fn why(growth: &GrowthEntry) -> String {
    if let Some(initialiser) = &growth.initialiser
        && growth.kind == GrowthKind::Initialiser
    {
        return if is_cache_of_std(initialiser) {
            format!("allocated under {initialiser}, whose growth never counts")
        } else {
            format!("allocated under {initialiser}, which runs once")
        };
    }
    let held = growth::retained(growth).filter(|_| growth.retained == Some(Retained::Held));
    match (held, &growth.holder) {
        (Some(held), Some(holder)) if holder.known => format!("{held}, a known holder"),
        (Some(held), _) => format!("{held}, and did not grow again"),
        (None, _) => "its growth did not go on".to_owned(),
    }
}
