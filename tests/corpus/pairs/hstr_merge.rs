//! Merging two stores adds a count to atoms that both have, which nothing takes away.

use hstr::AtomStore;

#[test]
pub fn hstr_merge() {
    let (mut ours, mut theirs) = (AtomStore::default(), AtomStore::default());
    let first = ours.atom("a name that is longer than eight bytes"); // leaks
    let second = theirs.atom("a name that is longer than eight bytes"); // leaks
    ours.merge(theirs);
    assert_eq!(first, second);
}

/// One store.
#[test]
pub fn a_store_alone() {
    let mut store = AtomStore::default();
    let first = store.atom("a name that is longer than eight bytes");
    assert_eq!(first, store.atom("a name that is longer than eight bytes"));
}
