//! A `Drain` of a vector that is forgotten before it ends.
//!
//! A leak: the vector must not drop what a `Drain` may have taken, so it drops none of it.
//@ COUNT 2..=6
//@ SIZE 1..=2000
//@ Value local

use std::hint::black_box;

use crate::value::make;

pub fn core() {
    let mut values: Vec<Value> = (0..COUNT).map(|_| make(SIZE)).collect();
    let mut drain = values.drain(..);
    black_box(drain.next());
    std::mem::forget(drain);
}
