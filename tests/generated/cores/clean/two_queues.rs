//! A cache in a static with a list of the keys that it has dropped.
//!
//! Clean: it keeps CAPACITY entries and GHOSTS keys at most.
//@ CAPACITY 1..=20
//@ GHOSTS 1..=20
//@ SIZE 1..=2000
//@ Value shared

use std::collections::VecDeque;
use std::sync::Mutex;

use crate::value::make;

/// Both are full after so many runs.
pub const FULL_AFTER: usize = CAPACITY + GHOSTS;

struct Cache {
    next: usize,
    entries: VecDeque<(String, Value)>,
    ghosts: VecDeque<String>,
}

static CACHE: Mutex<Cache> =
    Mutex::new(Cache { next: 0, entries: VecDeque::new(), ghosts: VecDeque::new() });

pub fn core() {
    let mut cache = CACHE.lock().unwrap();
    cache.next += 1;
    let key = format!("{:0>40}", cache.next);
    cache.entries.push_back((key, make(SIZE)));
    if cache.entries.len() > CAPACITY {
        let (key, _) = cache.entries.pop_front().expect("it has entries");
        cache.ghosts.push_back(key);
    }
    if cache.ghosts.len() > GHOSTS {
        cache.ghosts.pop_front();
    }
}
