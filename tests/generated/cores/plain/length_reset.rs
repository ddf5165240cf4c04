//! A vector whose length is set to zero.
//!
//! A leak: its buffer is dropped, its elements are not.
//@ COUNT 1..=6
//@ SIZE 1..=2000
//@ Value local

use std::hint::black_box;

use crate::value::make;

pub fn core() {
    let mut values: Vec<Value> = (0..COUNT).map(|_| make(SIZE)).collect();
    black_box(&values);
    // SAFETY: no element is used again.
    unsafe { values.set_len(0) };
}
