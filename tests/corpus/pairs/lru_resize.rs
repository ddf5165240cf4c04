//! A cache that shrinks frees the oldest nodes, and not the keys and values in them.

#[test]
pub fn lru_resize() {
    let mut cache = lru::LruCache::new(4);
    for i in 0..4 {
        cache.put(i, format!("page number {i}")); // leaks
    }
    cache.resize(1);
    assert_eq!(cache.len(), 1);
}
