//! When the iterator given to `insert_many` panics, the elements behind the gap are forgotten.

use smallvec::SmallVec;

#[test]
#[should_panic(expected = "the third is missing")]
pub fn smallvec_insert_many() {
    let mut words: SmallVec<[String; 4]> = SmallVec::new();
    for i in 0..4 {
        words.push(format!("word number {i}")); // leaks
    }
    let more = (4..9).map(|i| match i {
        6 => panic!("the third is missing"),
        _ => format!("word number {i}"), // leaks
    });
    words.insert_many(1, more);
}

/// An iterator that ends as it should.
#[test]
pub fn an_insertion_without_a_panic() {
    let mut words: SmallVec<[String; 4]> = SmallVec::new();
    words.push("the first of them".to_owned());
    words.insert_many(0, (4..9).map(|i| format!("word number {i}")));
    assert_eq!(words.len(), 6);
}
