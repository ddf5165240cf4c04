//! Values in boxes that `Box::leak` gives away.
//!
//! A leak: the references that it returns are dropped, and nothing else points to the boxes.
//@ SIZE 1..=4000
//@ COUNT 1..=8
//@ Value local

use std::hint::black_box;

use crate::value::make;

pub fn core() {
    for _ in 0..COUNT {
        let leaked: &'static mut Value = Box::leak(Box::new(make(SIZE)));
        black_box(&*leaked);
    }
}
