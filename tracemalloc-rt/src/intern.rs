//! Numbers for things that are equal. The numbers mean nothing outside of the table that gave them.

use std::hash::Hash;

use rustc_hash::FxHashMap;

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

    /// What was interned, by number.
    pub(crate) fn into_items(self) -> Vec<K> {
        let mut items: Vec<(K, u32)> = self.0.into_iter().collect();
        items.sort_unstable_by_key(|&(_, id)| id);
        items.into_iter().map(|(item, _)| item).collect()
    }
}

/// An [`Interner`] for names that hashes a text only the first time it meets it at some address.
pub(crate) struct Names<'a> {
    by_address: FxHashMap<(*const u8, usize), u32>,
    by_text: Interner<&'a str>,
}

impl<'a> Names<'a> {
    pub(crate) fn new() -> Names<'a> {
        Names {
            by_address: FxHashMap::default(),
            by_text: Interner::new(),
        }
    }

    pub(crate) fn id(&mut self, name: &'a str) -> u32 {
        let by_text = &mut self.by_text;
        *self
            .by_address
            .entry((name.as_ptr(), name.len()))
            .or_insert_with(|| by_text.id(name))
    }

    /// The names, by number.
    pub(crate) fn into_items(self) -> Vec<&'a str> {
        self.by_text.into_items()
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn equal_names_at_different_addresses_are_one() {
        let (first, second) = (String::from("a.rs"), String::from("a.rs"));
        let mut names = Names::new();
        assert_eq!(names.id(&first), 0);
        assert_eq!(names.id("b.rs"), 1);
        assert_eq!(names.id(&second), 0);
        assert_eq!(names.id(&first[..1]), 2);
        assert_eq!(names.into_items(), ["a.rs", "b.rs", "a"]);
    }
}
