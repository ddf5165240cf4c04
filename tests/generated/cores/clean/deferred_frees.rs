//! Garbage in a static that is freed when a bag of it is full.
//!
//! Clean: the bag has CAPACITY entries at most, and frees all of them at once.
//@ CAPACITY 1..=40
//@ PER_RUN 1..=4
//@ SIZE 1..=1000
//@ Value shared

use std::sync::{LazyLock, Mutex};

use crate::value::make;

/// The bag is full after so many runs, at PER_RUN values a run.
pub const FULL_AFTER: usize = CAPACITY.div_ceil(PER_RUN) + 1;

static BAG: LazyLock<Mutex<Vec<Value>>> =
    LazyLock::new(|| Mutex::new(Vec::with_capacity(CAPACITY)));

pub fn core() {
    let mut bag = BAG.lock().unwrap();
    for _ in 0..PER_RUN {
        if bag.len() == CAPACITY {
            bag.clear();
        }
        bag.push(make(SIZE));
    }
}
