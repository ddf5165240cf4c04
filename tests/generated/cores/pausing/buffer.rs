//! A buffer in a static that every run adds numbers to.
//!
//! A leak: nothing takes a number out again. The buffer is one block, which grows by doubling, so
//! runs pause for longer and longer.
//@ PER_RUN 1..=200

use std::sync::Mutex;

static NUMBERS: Mutex<Vec<u64>> = Mutex::new(Vec::new());

pub fn core() {
    let mut numbers = NUMBERS.lock().unwrap();
    let first = numbers.len() as u64;
    numbers.extend((0..PER_RUN as u64).map(|number| first + number));
}
