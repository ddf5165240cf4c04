//! A cache that is dropped forgets the values in it.

use moka::sync::Cache;

#[test]
pub fn moka_drop() {
    let cache = Cache::new(100);
    for i in 0..10 {
        cache.insert(i, format!("page number {i}")); // leaks
    }
    assert_eq!(cache.get(&3).as_deref(), Some("page number 3"));
}
