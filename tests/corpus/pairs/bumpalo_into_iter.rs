//! The arena's `IntoIter` has no destructor, so elements that were not taken are forgotten.

use bumpalo::Bump;
use bumpalo::collections::Vec;

fn read(taken: usize) {
    let arena = Bump::new();
    let mut lines = Vec::new_in(&arena);
    for i in 0..4 {
        lines.push(format!("line number {i}")); // leaks
    }
    assert_eq!(lines.into_iter().take(taken).count(), taken);
}

#[test]
pub fn bumpalo_into_iter() {
    read(1);
}

/// All of them are taken.
#[test]
pub fn an_iterator_that_ends() {
    read(4);
}
