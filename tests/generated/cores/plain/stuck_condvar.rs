//! A thread that waits for a condition which cannot come true.
//!
//! A leak: nothing else can reach the flag, so the wait never ends, and what the thread owns
//! stays.
//@ SIZE 1..=4000
//@ COUNT 1..=3
//@ Value shared

use std::hint::black_box;
use std::sync::{Condvar, Mutex};
use std::thread;

use crate::value::make;

pub fn core() {
    let values: Vec<Value> = (0..COUNT).map(|_| make(SIZE)).collect();
    let stuck = move || {
        let (ready, changed) = (Mutex::new(false), Condvar::new());
        drop(changed.wait_while(ready.lock().unwrap(), |ready| !*ready));
        black_box(&values);
    };
    thread::Builder::new().stack_size(256 << 10).spawn(stuck).expect("a thread starts");
}
