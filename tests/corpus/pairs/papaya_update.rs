//! `update` of a key that is not in the map forgets the entry that it made ready.

use papaya::HashMap;

fn visit(key: &str) {
    let visits = HashMap::new();
    let visits = visits.pin();
    visits.insert("the first page".to_owned(), 1_usize);
    visits.update(key.to_owned(), |count| count + 1); // leaks
    assert_eq!(visits.len(), 1);
}

#[test]
pub fn papaya_update() {
    visit("the last page"); // leaks
}
