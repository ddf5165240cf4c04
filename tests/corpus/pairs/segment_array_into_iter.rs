//! The iterator by value forgets the elements that are left when the first segment is exactly full.

use segment_array::SegmentArray;

fn first_of(count: usize) {
    let mut words = SegmentArray::new();
    for i in 0..count {
        words.push(format!("word number {i}")); // leaks
    }
    assert_eq!(words.into_iter().next().as_deref(), Some("word number 0"));
}

#[test]
pub fn segment_array_into_iter() {
    first_of(64);
}

/// A segment with room left.
#[test]
pub fn a_segment_with_room() {
    first_of(63);
}
