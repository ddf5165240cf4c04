//! A list in a static without a lock.
//!
//! A leak: nothing takes an entry out again.
//@ SIZE 1..=4000
//@ COUNT 1..=5
//@ Value local

use std::cell::UnsafeCell;

use crate::value::make;

struct Shared(UnsafeCell<Vec<Value>>);

// SAFETY: one run uses it at a time, in one thread, and the next run begins after its end. No
// entry is read or dropped, so it does not matter which thread has made it.
unsafe impl Sync for Shared {}

static KEPT: Shared = Shared(UnsafeCell::new(Vec::new()));

pub fn core() {
    for _ in 0..COUNT {
        let value = make(SIZE);
        // SAFETY: no other reference exists, see above.
        unsafe { (*KEPT.0.get()).push(value) };
    }
}
