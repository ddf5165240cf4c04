//! A list in a static that grows in some runs, each second to tenth.
//!
//! A leak: nothing takes an entry out again. Between two entries, EVERY - 1 runs keep nothing.
//@ SIZE 1..=4000
//@ EVERY 2..=10
//@ Value shared

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::value::make;

static KEPT: Mutex<Vec<Value>> = Mutex::new(Vec::new());
static RUN: AtomicUsize = AtomicUsize::new(0);

pub fn core() {
    if RUN.fetch_add(1, Ordering::Relaxed) % EVERY == 0 {
        KEPT.lock().unwrap().push(make(SIZE));
    }
}
