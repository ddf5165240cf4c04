//! A cache in a static that replaces an entry at random when it is full.
//!
//! Clean: it keeps CAPACITY entries at most.
//@ CAPACITY 1..=40
//@ PER_RUN 1..=4
//@ SEED 1..=1000000
//@ SIZE 1..=2000
//@ Value shared

use std::sync::Mutex;

use crate::value::make;

/// It is full after so many runs, at PER_RUN entries a run.
pub const FULL_AFTER: usize = CAPACITY.div_ceil(PER_RUN);

static CACHE: Mutex<(u64, Vec<Value>)> = Mutex::new((SEED as u64, Vec::new()));

pub fn core() {
    let mut cache = CACHE.lock().unwrap();
    let (state, entries) = &mut *cache;
    for _ in 0..PER_RUN {
        let entry = make(SIZE);
        if entries.len() < CAPACITY {
            entries.push(entry);
        } else {
            *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            entries[(*state >> 33) as usize % CAPACITY] = entry;
        }
    }
}
