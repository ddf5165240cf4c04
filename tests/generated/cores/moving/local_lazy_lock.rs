//! A `LazyLock` in a box that is given away.
//!
//! A leak: every run makes a box, has its value computed, and drops the only pointer to it.
//@ SIZE 1..=4000
//@ COUNT 1..=4
//@ Value local

use std::hint::black_box;
use std::sync::LazyLock;

use crate::value::make;

pub fn core() {
    for _ in 0..COUNT {
        let lazy: LazyLock<Value> = LazyLock::new(|| make(SIZE));
        let lazy = Box::leak(Box::new(lazy));
        black_box(LazyLock::force(lazy));
    }
}
