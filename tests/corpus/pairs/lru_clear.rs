//! `clear` frees the nodes, and not the keys and values in them.

#[test]
pub fn lru_clear() {
    let mut cache = lru::LruCache::new(4);
    for i in 0..4 {
        cache.put(i, format!("page number {i}")); // leaks
    }
    cache.clear();
    assert!(cache.is_empty());
}
