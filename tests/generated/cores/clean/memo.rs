//! A memo in a static, for arguments that are few.
//!
//! Clean: there are KEYS arguments, and a result is kept once.
//@ KEYS 1..=40
//@ PER_RUN 1..=8
//@ SIZE 1..=2000
//@ Value shared

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};

use crate::value::make;

/// All results are there after so many runs, at PER_RUN arguments a run.
pub const FULL_AFTER: usize = KEYS.div_ceil(PER_RUN);

static RESULTS: LazyLock<Mutex<HashMap<usize, Value>>> = LazyLock::new(Mutex::default);
static NEXT: AtomicUsize = AtomicUsize::new(0);

pub fn core() {
    let mut results = RESULTS.lock().unwrap();
    for _ in 0..PER_RUN {
        let key = NEXT.fetch_add(1, Ordering::Relaxed) % KEYS;
        black_box(results.entry(key).or_insert_with(|| make(SIZE)));
    }
}
