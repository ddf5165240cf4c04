//! A pool of buffers in a static.
//!
//! Clean: a run takes buffers from it, or makes new ones, and puts all of them back. No run has
//! more than COUNT at once.
//@ COUNT 1..=20
//@ SIZE 1..=4000
//@ Value shared

use std::hint::black_box;
use std::sync::Mutex;

use crate::value::make;

/// It has COUNT buffers after the first run.
pub const FULL_AFTER: usize = 1;

static POOL: Mutex<Vec<Value>> = Mutex::new(Vec::new());

fn take() -> Value {
    let pooled = POOL.lock().unwrap().pop();
    pooled.unwrap_or_else(|| make(SIZE))
}

pub fn core() {
    let taken: [Value; COUNT] = std::array::from_fn(|_| take());
    black_box(&taken);
    POOL.lock().unwrap().extend(taken);
}
