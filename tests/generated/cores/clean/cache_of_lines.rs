//! A cache in a static whose entries are allocated by two lines in turn.
//!
//! Clean: it keeps CAPACITY entries at most. Each line's share of them rises and falls.
//@ CAPACITY 1..=40
//@ PER_RUN 1..=3
//@ PATTERN 1..=255
//@ SIZE 1..=2000
//@ Value shared

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::value::make;

/// It is full after so many runs, at PER_RUN entries a run.
pub const FULL_AFTER: usize = CAPACITY.div_ceil(PER_RUN);

static CACHE: Mutex<VecDeque<Value>> = Mutex::new(VecDeque::new());
static NUMBER: AtomicUsize = AtomicUsize::new(0);

pub fn core() {
    let mut cache = CACHE.lock().unwrap();
    for _ in 0..PER_RUN {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let entry = if PATTERN >> (number % 8) & 1 == 1 { first() } else { second() };
        cache.push_back(entry);
        if cache.len() > CAPACITY {
            cache.pop_front();
        }
    }
}

#[inline(never)]
fn first() -> Value {
    make(SIZE)
}

#[inline(never)]
fn second() -> Value {
    make(SIZE + 1)
}
