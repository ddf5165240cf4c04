//! A buffer in a static that doubles until it has room for CAPACITY numbers.
//!
//! Clean: when it is full, it starts again in the same memory.
//@ CAPACITY 1..=2000
//@ RUNS 1..=20

use std::sync::Mutex;

/// It is full after RUNS runs, or earlier.
pub const FULL_AFTER: usize = RUNS;

static NUMBERS: Mutex<Vec<u64>> = Mutex::new(Vec::new());

pub fn core() {
    let mut numbers = NUMBERS.lock().unwrap();
    for number in 0..CAPACITY.div_ceil(RUNS) {
        if numbers.len() == CAPACITY {
            numbers.clear();
        }
        numbers.push(number as u64);
    }
}
