//! A vector of bits that are on the heap has no destructor.

use smallbitvec::SmallBitVec;

#[test]
pub fn smallbitvec_drop() {
    let mut seen = SmallBitVec::new();
    for number in 0..1000 {
        seen.push(number % 3 == 0); // leaks
    }
    assert_eq!(seen.len(), 1000);
}

/// So few bits that they need no heap.
#[test]
pub fn bits_in_place() {
    let mut seen = SmallBitVec::new();
    seen.push(true);
    assert_eq!(seen.len(), 1);
}
