//! A body that keeps nothing in its first run, and something in every later one.
//!
//! A leak: from the second run on, every run adds an entry to a static, or loses one.
//@ SIZE 1..=4000
//@ LOST 0..=1
//@ Value shared

use std::mem;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::value::make;

static KEPT: Mutex<Vec<Value>> = Mutex::new(Vec::new());
static RUN: AtomicUsize = AtomicUsize::new(0);

pub fn core() {
    let value = make(SIZE);
    if RUN.fetch_add(1, Ordering::Relaxed) == 0 {
        drop(value);
    } else if LOST == 1 {
        mem::forget(value);
    } else {
        KEPT.lock().unwrap().push(value);
    }
}
