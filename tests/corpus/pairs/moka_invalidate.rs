//! Entries that leave the cache leave the nodes of its lists behind.

use moka::sync::{Cache, ConcurrentCacheExt};

#[test]
pub fn moka_invalidate() {
    let cache = Cache::new(100);
    for i in 0..10 {
        cache.insert(i, format!("page number {i}")); // leaks
    }
    cache.sync(); // leaks
    for i in 0..10 {
        cache.invalidate(&i);
    }
    cache.sync();
    assert_eq!(cache.get(&3), None);
}
