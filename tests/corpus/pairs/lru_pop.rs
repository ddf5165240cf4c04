//! `pop` frees the node, and not the key in it.

#[test]
pub fn lru_pop() {
    let mut cache = lru::LruCache::new(4);
    for i in 0..4 {
        cache.put(format!("user number {i}"), i); // leaks
    }
    assert_eq!(cache.pop(&"user number 2".to_owned()), Some(2));
    assert_eq!(cache.len(), 3);
}

/// Nothing is popped: the map's own drop frees all keys.
#[test]
pub fn a_cache_that_is_dropped_full() {
    let mut cache = lru::LruCache::new(4);
    for i in 0..4 {
        cache.put(format!("user number {i}"), i);
    }
    assert!(cache.contains(&"user number 2".to_owned()));
}
