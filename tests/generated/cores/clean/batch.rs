//! A batch in a static that is sent off when it is full.
//!
//! Clean: it has CAPACITY entries at most. The live memory rises for CAPACITY / PER_RUN runs, and
//! falls to nothing then.
//@ CAPACITY 2..=40
//@ PER_RUN 1..=4
//@ SIZE 1..=2000
//@ Value shared

use std::sync::Mutex;

use crate::value::make;

/// It has been full once after so many runs.
pub const FULL_AFTER: usize = CAPACITY.div_ceil(PER_RUN);

static BATCH: Mutex<Vec<Value>> = Mutex::new(Vec::new());

pub fn core() {
    let mut batch = BATCH.lock().unwrap();
    for _ in 0..PER_RUN {
        batch.push(make(SIZE));
        if batch.len() == CAPACITY {
            batch.clear();
        }
    }
}
