//! Values in `ManuallyDrop` and `MaybeUninit`.
//!
//! A leak: neither of them drops what it contains, and the core does not either.
//@ SIZE 1..=4000
//@ COUNT 1..=8
//@ Value local

use std::hint::black_box;
use std::mem::{ManuallyDrop, MaybeUninit};

use crate::value::make;

pub fn core() {
    for number in 0..COUNT {
        if number % 2 == 0 {
            black_box(&ManuallyDrop::new(make::<Value>(SIZE)));
        } else {
            black_box(&MaybeUninit::new(make::<Value>(SIZE)));
        }
    }
}
