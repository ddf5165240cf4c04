//! Texts that `String::leak` gives away.
//!
//! A leak: the texts that it returns are dropped, and nothing else points to them.
//@ SIZE 1..=4000
//@ COUNT 1..=8

use std::hint::black_box;

use crate::value::make;

pub fn core() {
    for _ in 0..COUNT {
        let leaked: &'static str = make::<String>(SIZE).leak();
        black_box(leaked);
    }
}
