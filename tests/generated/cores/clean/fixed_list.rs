//! A list in a static that grows until it has CAPACITY entries.
//!
//! Clean: what comes when it is full is dropped.
//@ CAPACITY 1..=40
//@ PER_RUN 1..=4
//@ SIZE 1..=2000
//@ Value shared

use std::sync::Mutex;

use crate::value::make;

/// It is full after so many runs, at PER_RUN entries a run.
pub const FULL_AFTER: usize = CAPACITY.div_ceil(PER_RUN);

static KEPT: Mutex<Vec<Value>> = Mutex::new(Vec::new());

pub fn core() {
    for _ in 0..PER_RUN {
        let entry = make(SIZE);
        let mut kept = KEPT.lock().unwrap();
        if kept.len() < CAPACITY {
            kept.push(entry);
        }
    }
}
