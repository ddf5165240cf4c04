//! A weak reference in a static to a value that is shared while it is in use.
//!
//! Clean: one `Weak` is there, and it keeps one block at most. Every run replaces it.
//@ SIZE 1..=4000
//@ Value shared

use std::hint::black_box;
use std::sync::{Arc, Mutex, Weak};

use crate::value::make;

/// One weak reference is there after each run.
pub const FULL_AFTER: usize = 1;

static SHARED: Mutex<Weak<Value>> = Mutex::new(Weak::new());

fn shared() -> Arc<Value> {
    let mut shared = SHARED.lock().unwrap();
    shared.upgrade().unwrap_or_else(|| {
        let value = Arc::new(make(SIZE));
        *shared = Arc::downgrade(&value);
        value
    })
}

pub fn core() {
    let users = [shared(), shared()];
    assert!(Arc::ptr_eq(&users[0], &users[1]));
    black_box(&users);
}
