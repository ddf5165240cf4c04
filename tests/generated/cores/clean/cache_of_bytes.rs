//! A cache in a static that drops its oldest entries until the rest has LIMIT bytes at most.
//!
//! Clean: its entries have LIMIT bytes together, and its buffer has room for all that fit.
//@ SIZE 16..=2000
//@ ENTRIES 1..=20
//@ PER_RUN 1..=4

use std::collections::VecDeque;
use std::sync::{LazyLock, Mutex};

use crate::value::make;

const LIMIT: usize = SIZE * ENTRIES;

/// An entry has at least half of SIZE, so twice ENTRIES are too many.
pub const FULL_AFTER: usize = (2 * ENTRIES + 1).div_ceil(PER_RUN);

static CACHE: LazyLock<Mutex<Cache>> = LazyLock::new(Mutex::default);

struct Cache {
    entries: VecDeque<Vec<u8>>,
    bytes: usize,
    number: usize,
}

impl Default for Cache {
    fn default() -> Self {
        Self { entries: VecDeque::with_capacity(2 * ENTRIES + 2), bytes: 0, number: 0 }
    }
}

pub fn core() {
    let mut cache = CACHE.lock().unwrap();
    for _ in 0..PER_RUN {
        cache.number += 1;
        let entry: Vec<u8> = make(SIZE - cache.number * 7 % (SIZE / 2 + 1));
        cache.bytes += entry.len();
        cache.entries.push_back(entry);
        while cache.bytes > LIMIT {
            cache.bytes -= cache.entries.pop_front().expect("it has bytes").len();
        }
    }
}
