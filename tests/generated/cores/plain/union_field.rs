//! A field of a union that is never dropped.
//!
//! A leak: a union drops none of its fields.
//@ SIZE 1..=4000
//@ Value local

use std::hint::black_box;
use std::mem::ManuallyDrop;

use crate::value::make;

union Either {
    number: u64,
    value: ManuallyDrop<Value>,
}

pub fn core() {
    let mut either = Either { number: 1 };
    either.value = ManuallyDrop::new(make(SIZE));
    black_box(&raw const either);
}
