//! A cache in a static that drops its oldest entry when it is full.
//!
//! Clean: it keeps CAPACITY entries at most.
//@ CAPACITY 1..=40
//@ PER_RUN 1..=4
//@ SIZE 1..=2000
//@ Value shared

use std::collections::VecDeque;
use std::sync::Mutex;

use crate::value::make;

/// It is full after so many runs, at PER_RUN entries a run.
pub const FULL_AFTER: usize = CAPACITY.div_ceil(PER_RUN);

static CACHE: Mutex<VecDeque<Value>> = Mutex::new(VecDeque::new());

pub fn core() {
    let mut cache = CACHE.lock().unwrap();
    for _ in 0..PER_RUN {
        if cache.len() == CAPACITY {
            cache.pop_front();
        }
        cache.push_back(make(SIZE));
    }
}
