//! A list in a static whose entries are allocated by another line in each run.
//!
//! A leak: every run adds an entry, and nothing takes one out again. A line comes back after LINES
//! runs.
//@ SIZE 1..=4000
//@ LINES 2..=4
//@ Value shared

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::value::make;

static KEPT: Mutex<Vec<Value>> = Mutex::new(Vec::new());
static RUN: AtomicUsize = AtomicUsize::new(0);

pub fn core() {
    // Sizes differ, so that the compiler keeps the functions apart.
    let entry = match RUN.fetch_add(1, Ordering::Relaxed) % LINES {
        0 => first(),
        1 => second(),
        2 => third(),
        _ => fourth(),
    };
    KEPT.lock().unwrap().push(entry);
}

#[inline(never)]
fn first() -> Value {
    make(SIZE)
}

#[inline(never)]
fn second() -> Value {
    make(SIZE + 1)
}

#[inline(never)]
fn third() -> Value {
    make(SIZE + 2)
}

#[inline(never)]
fn fourth() -> Value {
    make(SIZE + 3)
}
