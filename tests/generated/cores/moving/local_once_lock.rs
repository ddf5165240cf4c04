//! A `OnceLock` on the stack whose initialiser leaks.
//!
//! A leak: the cell is a new one in every run, so its initialiser runs in every run, and nothing
//! points to what it has leaked when the cell is gone.
//@ SIZE 1..=4000
//@ COUNT 1..=4
//@ Value local

use std::hint::black_box;
use std::sync::OnceLock;

use crate::value::make;

pub fn core() {
    for _ in 0..COUNT {
        let cell: OnceLock<usize> = OnceLock::new();
        let leaked = || size_of_val(black_box(Box::leak(Box::new(make::<Value>(SIZE)))));
        black_box(cell.get_or_init(leaked));
    }
}
