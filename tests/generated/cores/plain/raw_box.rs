//! Boxes that become raw pointers.
//!
//! A leak: `Box::into_raw` is not followed by `Box::from_raw`, and the pointers are dropped.
//@ SIZE 1..=4000
//@ COUNT 1..=8
//@ Value local

use std::hint::black_box;

use crate::value::make;

pub fn core() {
    for _ in 0..COUNT {
        black_box(Box::into_raw(Box::new(make::<Value>(SIZE))));
    }
}
