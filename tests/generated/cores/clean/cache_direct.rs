//! A cache in a static with one entry for each value of a hash.
//!
//! Clean: it has CAPACITY places, and a new entry replaces the one that was in its place.
//@ CAPACITY 1..=16
//@ PER_RUN 2..=4
//@ SIZE 1..=2000
//@ Value shared

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::value::make;

/// All places are taken after so many runs, at PER_RUN keys a run.
pub const FULL_AFTER: usize = full_after();

static PLACES: [Mutex<Option<Value>>; CAPACITY] = [const { Mutex::new(None) }; CAPACITY];
static NEXT: AtomicU64 = AtomicU64::new(0);

const fn place(key: u64) -> usize {
    (key.wrapping_add(1).wrapping_mul(0x9e3779b97f4a7c15) >> 40) as usize % CAPACITY
}

const fn full_after() -> usize {
    let (mut taken, mut places, mut key) = ([false; CAPACITY], 0, 0);
    while places < CAPACITY {
        if !taken[place(key)] {
            taken[place(key)] = true;
            places += 1;
        }
        key += 1;
    }
    (key as usize).div_ceil(PER_RUN)
}

pub fn core() {
    for _ in 0..PER_RUN {
        let key = NEXT.fetch_add(1, Ordering::Relaxed);
        *PLACES[place(key)].lock().unwrap() = Some(make(SIZE));
    }
}
