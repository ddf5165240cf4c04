//! A map in a `OnceLock` that every run adds a new key to.
//!
//! A leak: keys do not come twice, and nothing removes one.
//@ SIZE 1..=4000
//@ COUNT 1..=5
//@ Value shared

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};

use crate::value::make;

static KEPT: OnceLock<Mutex<HashMap<u64, Value>>> = OnceLock::new();
static NEXT: AtomicU64 = AtomicU64::new(0);

pub fn core() {
    for _ in 0..COUNT {
        let key = NEXT.fetch_add(1, Ordering::Relaxed);
        let value = make(SIZE);
        KEPT.get_or_init(Mutex::default).lock().unwrap().insert(key, value);
    }
}
