//! A forgotten value with a `OnceLock` in it.
//!
//! A leak: the value is forgotten in every run, and with it what its cell was initialised with.
//@ SIZE 1..=4000
//@ COUNT 1..=4
//@ Value local

use std::hint::black_box;
use std::mem;
use std::sync::OnceLock;

use crate::value::make;

struct Document {
    index: OnceLock<Value>,
}

pub fn core() {
    for _ in 0..COUNT {
        let document = Document { index: OnceLock::new() };
        black_box(document.index.get_or_init(|| make(SIZE)));
        mem::forget(document);
    }
}
