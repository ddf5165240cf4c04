//! When one item of a parallel `collect` panics, the items collected so far are forgotten.

use std::panic::catch_unwind;

use rayon::prelude::*;

fn collect(bad: usize) {
    let ended = catch_unwind(|| {
        let items = (0..200_usize).into_par_iter();
        let names = items.map(|i| {
            assert!(i != bad, "item {i} is bad");
            format!("item number {i}") // leaks
        });
        names.collect::<Vec<_>>()
    });
    assert_eq!(ended.is_err(), bad < 200);
}

#[test]
pub fn rayon_collect() {
    collect(150);
}

/// The same without a panic.
#[test]
pub fn a_collect_that_succeeds() {
    collect(1000);
}
