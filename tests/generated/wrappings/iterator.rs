//! The closure of an iterator, whose items are collected.
//@ ITEMS 1..=20

pub fn wrap(core: fn()) {
    let call = |item| {
        if item == ITEMS / 2 {
            core();
        }
        item
    };
    let items: Vec<usize> = (0..ITEMS).map(call).collect();
    assert_eq!(items.len(), ITEMS);
}
