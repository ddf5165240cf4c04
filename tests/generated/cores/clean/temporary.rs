//! Containers of all kinds that grow, shrink and go.
//!
//! Clean: nothing that the core makes outlives it.
//@ COUNT 1..=20
//@ SIZE 1..=2000
//@ First local
//@ Second local

use std::hint::black_box;

use crate::value::make;

/// Nothing is there after a run.
pub const FULL_AFTER: usize = 1;

pub fn core() {
    let mut values: Vec<(First, Option<Second>)> = Vec::new();
    for number in 0..COUNT {
        values.push((make(SIZE), (number % 2 == 0).then(|| make(SIZE))));
    }
    values.truncate(COUNT / 2);
    values.shrink_to_fit();
    black_box(&values);
}
