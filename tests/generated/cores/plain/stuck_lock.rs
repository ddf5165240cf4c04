//! A thread that waits for a lock whose guard was forgotten.
//!
//! A leak: the lock is never released, so the thread never ends, and what it owns stays.
//@ SIZE 1..=4000
//@ COUNT 1..=3
//@ Value shared

use std::hint::black_box;
use std::mem;
use std::sync::{Arc, Mutex};
use std::thread;

use crate::value::make;

pub fn core() {
    let values: Vec<Value> = (0..COUNT).map(|_| make(SIZE)).collect();
    let lock = Arc::new(Mutex::new(0));
    mem::forget(lock.lock());
    let stuck = move || {
        drop(lock.lock());
        black_box(&values);
    };
    thread::Builder::new().stack_size(256 << 10).spawn(stuck).expect("a thread starts");
}
