//! Values that `mem::forget` takes.
//!
//! A leak: no destructor runs, and no pointer to the values' blocks remains.
//@ SIZE 1..=4000
//@ COUNT 1..=8
//@ Value local

use std::mem;

use crate::value::make;

pub fn core() {
    for _ in 0..COUNT {
        mem::forget(make::<Value>(SIZE));
    }
}
