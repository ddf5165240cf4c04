//! A registry in shards, of which each run uses another.
//!
//! A leak: no shard ever loses an entry.
//@ SHARDS 2..=8
//@ SIZE 1..=2000
//@ Value shared

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::value::make;

static REGISTRY: [Mutex<Vec<Value>>; SHARDS] = [const { Mutex::new(Vec::new()) }; SHARDS];
static NEXT: AtomicUsize = AtomicUsize::new(0);

pub fn core() {
    let shard = NEXT.fetch_add(1, Ordering::Relaxed) * 5 % SHARDS;
    REGISTRY[shard].lock().unwrap().push(make(SIZE));
}
