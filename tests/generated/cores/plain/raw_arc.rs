//! `Arc`s whose count is incremented by hand.
//!
//! A leak: `Arc::increment_strong_count` is not followed by a decrement.
//@ SIZE 1..=4000
//@ COUNT 1..=8
//@ Value shared

use std::sync::Arc;

use crate::value::make;

pub fn core() {
    for _ in 0..COUNT {
        let value = Arc::new(make::<Value>(SIZE));
        // SAFETY: the pointer is that of an `Arc` which is alive.
        unsafe { Arc::increment_strong_count(Arc::as_ptr(&value)) };
    }
}
