//! A static with a bounded cache of large entries, and a list of small ones that grows.
//!
//! A leak: nothing shortens the list. While the cache fills, it grows by far more.
//@ CAPACITY 1..=30
//@ LARGE 100..=300
//@ SMALL 50..=100

use std::collections::VecDeque;
use std::sync::Mutex;

use crate::value::make;

static ALL: Mutex<(VecDeque<Vec<u8>>, Vec<String>)> = Mutex::new((VecDeque::new(), Vec::new()));

pub fn core() {
    let mut all = ALL.lock().unwrap();
    let (cache, list) = &mut *all;
    cache.push_back(make(LARGE));
    if cache.len() > CAPACITY {
        cache.pop_front();
    }
    list.push(make(SMALL));
}
