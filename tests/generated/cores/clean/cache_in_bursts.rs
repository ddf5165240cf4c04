//! A cache in a static whose random keys push out half of it when it is full.
//!
//! Clean: it keeps CAPACITY entries at most. The live memory rises slowly and falls in bursts.
//@ CAPACITY 2..=40
//@ PER_RUN 1..=4
//@ SEED 1..=1000000
//@ SIZE 1..=2000
//@ Value shared

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::value::make;

/// It is full after so many runs, at PER_RUN entries a run.
pub const FULL_AFTER: usize = CAPACITY.div_ceil(PER_RUN);

static CACHE: Mutex<(u64, BTreeMap<u64, Value>)> = Mutex::new((SEED as u64, BTreeMap::new()));

pub fn core() {
    let mut cache = CACHE.lock().unwrap();
    let (state, entries) = &mut *cache;
    for _ in 0..PER_RUN {
        *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        entries.insert(*state >> 20, make(SIZE));
        if entries.len() > CAPACITY {
            let middle = *entries.keys().nth(entries.len() / 2).expect("it has entries");
            *entries = entries.split_off(&middle);
        }
    }
}
