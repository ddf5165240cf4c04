//! A table that gives equal items one number.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use crate::util::sort::sort_by_key;

/// Gives equal items one number, counting from 0 in the order of their first appearance.
pub(crate) struct Interner<K>(FxHashMap<K, u32>);

impl<K: Eq + Hash> Interner<K> {
    pub(crate) fn new() -> Interner<K> {
        Interner(FxHashMap::default())
    }

    pub(crate) fn id(&mut self, item: K) -> u32 {
        let next = u32::try_from(self.0.len()).expect("memory ends before 2^32 items");
        *self.0.entry(item).or_insert(next)
    }

    /// The interned items, by number.
    pub(crate) fn into_items(self) -> Vec<K> {
        let mut items: Vec<(K, u32)> = self.0.into_iter().collect();
        sort_by_key(&mut items, |(_, id)| *id);
        items.into_iter().map(|(item, _)| item).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Interner;

    #[test]
    fn equal_items_have_one_number() {
        let (first, second) = (String::from("a.rs"), String::from("a.rs"));
        let mut names: Interner<&str> = Interner::new();
        assert_eq!(names.id(&first), 0);
        assert_eq!(names.id("b.rs"), 1);
        assert_eq!(names.id(&second), 0);
        assert_eq!(names.id(&first[..1]), 2);
        assert_eq!(names.into_items(), ["a.rs", "b.rs", "a"]);
    }
}
