//! A value in a static that is overwritten without being dropped.
//!
//! A leak: `ptr::write` forgets the old value of every run.
//@ SIZE 1..=4000
//@ Value shared

use std::sync::Mutex;

use crate::value::make;

static CURRENT: Mutex<Option<Value>> = Mutex::new(None);

pub fn core() {
    let mut current = CURRENT.lock().unwrap();
    // SAFETY: the place is valid for writes.
    unsafe { std::ptr::write(&raw mut *current, Some(make(SIZE))) };
}
