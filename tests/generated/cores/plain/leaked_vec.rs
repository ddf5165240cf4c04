//! A vector of values that `Vec::leak` gives away.
//!
//! A leak: the slice that it returns is dropped, and nothing else points to it.
//@ SIZE 1..=1000
//@ COUNT 1..=8
//@ Value local

use std::hint::black_box;

use crate::value::make;

pub fn core() {
    let values: Vec<Value> = (0..COUNT).map(|_| make(SIZE)).collect();
    let leaked: &'static mut [Value] = values.leak();
    black_box(&*leaked);
}
