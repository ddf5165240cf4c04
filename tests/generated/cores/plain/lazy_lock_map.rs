//! A sorted map in a `LazyLock` that every run adds a new text to.
//!
//! A leak: texts do not come twice, and nothing removes one.
//@ SIZE 1..=4000
//@ COUNT 1..=5
//@ Value shared

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex};

use crate::value::make;

static KEPT: LazyLock<Mutex<BTreeMap<String, Value>>> = LazyLock::new(Mutex::default);
static NEXT: AtomicU64 = AtomicU64::new(0);

pub fn core() {
    for _ in 0..COUNT {
        let key = format!("entry {}", NEXT.fetch_add(1, Ordering::Relaxed));
        KEPT.lock().unwrap().insert(key, make(SIZE));
    }
}
