//! A list in a static that every run makes longer.
//!
//! A leak: nothing takes an entry out again.
//@ SIZE 1..=4000
//@ COUNT 1..=5
//@ Value shared

use std::sync::Mutex;

use crate::value::make;

static KEPT: Mutex<Vec<Value>> = Mutex::new(Vec::new());

pub fn core() {
    for _ in 0..COUNT {
        KEPT.lock().unwrap().push(make(SIZE));
    }
}
