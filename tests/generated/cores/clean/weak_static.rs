//! A static that has a weak reference to the last value.
//!
//! Clean: the weak reference keeps the block of one value, which the next one replaces.
//@ SIZE 1..=4000
//@ Value shared

use std::sync::{Arc, Mutex, Weak};

use crate::value::make;

/// It keeps one block after the first run.
pub const FULL_AFTER: usize = 1;

static LAST: Mutex<Weak<(Value, [u8; SIZE])>> = Mutex::new(Weak::new());

pub fn core() {
    let value = Arc::new((make::<Value>(SIZE), [1; SIZE]));
    *LAST.lock().unwrap() = Arc::downgrade(&value);
}
