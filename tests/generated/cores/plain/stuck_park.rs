//! A thread that is parked for ever.
//!
//! A leak: the loop has no end, and what the thread owns stays.
//@ SIZE 1..=4000
//@ COUNT 1..=3
//@ Value shared

use std::hint::black_box;
use std::thread;

use crate::value::make;

pub fn core() {
    let values: Vec<Value> = (0..COUNT).map(|_| make(SIZE)).collect();
    let stuck = move || {
        loop {
            black_box(&values);
            thread::park();
        }
    };
    thread::Builder::new().stack_size(256 << 10).spawn(stuck).expect("a thread starts");
}
