//! A cache in a static that drops its least recently used entry when it is full.
//!
//! Clean: it keeps CAPACITY entries at most, and its table was made for twice as many, so that it
//! never grows.
//@ CAPACITY 1..=40
//@ PER_RUN 1..=4
//@ SIZE 1..=2000
//@ Value shared

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{LazyLock, Mutex};

use crate::value::make;

/// It is full after so many runs, at PER_RUN new keys a run.
pub const FULL_AFTER: usize = CAPACITY.div_ceil(PER_RUN);

struct Cache {
    entries: HashMap<u64, (u64, Value)>,
    clock: u64,
    next_key: u64,
}

static CACHE: LazyLock<Mutex<Cache>> = LazyLock::new(|| {
    let entries = HashMap::with_capacity(2 * CAPACITY + 2);
    Mutex::new(Cache { entries, clock: 0, next_key: 0 })
});

impl Cache {
    fn get(&mut self, key: u64) -> &Value {
        self.clock += 1;
        if !self.entries.contains_key(&key) && self.entries.len() == CAPACITY {
            let used = self.entries.iter().min_by_key(|(_, (used, _))| *used);
            let oldest = *used.expect("it is full").0;
            self.entries.remove(&oldest);
        }
        let entry = self.entries.entry(key).or_insert_with(|| (0, make(SIZE)));
        entry.0 = self.clock;
        &entry.1
    }
}

pub fn core() {
    let mut cache = CACHE.lock().unwrap();
    for _ in 0..PER_RUN {
        let key = cache.next_key;
        cache.next_key += 1;
        black_box(cache.get(key));
        // Now and then an older key is used again: a hit while the cache has it.
        black_box(cache.get(key - key % (CAPACITY as u64).min(3)));
    }
}
