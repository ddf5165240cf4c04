//! A cache in a static that forgets the entries that it pushes out.
//!
//! A leak: nothing points to them any more. The first of them is lost when the cache is full.
//@ CAPACITY 1..=30
//@ PER_RUN 1..=3
//@ SIZE 1..=4000
//@ Value shared

use std::collections::VecDeque;
use std::sync::Mutex;

use crate::value::make;

static CACHE: Mutex<VecDeque<Value>> = Mutex::new(VecDeque::new());

pub fn core() {
    let mut cache = CACHE.lock().unwrap();
    for _ in 0..PER_RUN {
        cache.push_back(make(SIZE));
        if cache.len() > CAPACITY {
            std::mem::forget(cache.pop_front());
        }
    }
}
