//! A guard that is dropped without a value leaves its placeholder, and the key, in the cache.

use std::sync::LazyLock;

use quick_cache::sync::{Cache, GuardResult};

static PAGES: LazyLock<Cache<String, String>> = LazyLock::new(|| Cache::new(16));

fn fail_to_load(pages: &Cache<String, String>) {
    for i in 0..10 {
        // leaks
        match pages.get_value_or_guard(&format!("page number {i}"), None) {
            GuardResult::Guard(guard) => drop(guard),
            _ => panic!("nothing was ever loaded"),
        }
    }
    assert_eq!(pages.len(), 0);
}

#[test]
pub fn quick_cache_guard() {
    fail_to_load(&PAGES);
}

/// The same in a cache that is dropped.
#[test]
pub fn quick_cache_guard_of_a_local() {
    fail_to_load(&Cache::new(16));
}
