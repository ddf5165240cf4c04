//! The iterator by value forgets the elements that are left, and the segments themselves.

use segment_array::SegmentArray;

#[test]
pub fn segment_array_into_iter() {
    let mut words = SegmentArray::new();
    for i in 0..100 {
        words.push(format!("word number {i}")); // leaks
    }
    assert_eq!(words.into_iter().next().as_deref(), Some("word number 0"));
}

/// An array that is dropped.
#[test]
pub fn an_array_that_is_dropped() {
    let mut words = SegmentArray::new();
    for i in 0..100 {
        words.push(format!("word number {i}"));
    }
    assert_eq!(words.len(), 100);
}
