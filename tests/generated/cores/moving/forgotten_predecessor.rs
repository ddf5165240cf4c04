//! A static that keeps the last value, and forgets the one before.
//!
//! A leak: from the second run on, every run loses what the run before has made.
//@ SIZE 1..=4000
//@ Value shared

use std::mem;
use std::sync::Mutex;

use crate::value::make;

static LAST: Mutex<Option<Value>> = Mutex::new(None);

pub fn core() {
    let before = LAST.lock().unwrap().replace(make(SIZE));
    mem::forget(before);
}
