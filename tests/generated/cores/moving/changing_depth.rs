//! A list in a static whose entries are allocated at another depth of recursion in each run.
//!
//! A leak: every run adds an entry, and nothing takes one out again. A depth comes back after
//! DEPTHS runs.
//@ SIZE 1..=4000
//@ DEPTHS 2..=12
//@ Value shared

use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::value::make;

static KEPT: Mutex<Vec<Value>> = Mutex::new(Vec::new());
static RUN: AtomicUsize = AtomicUsize::new(0);

pub fn core() {
    descend(RUN.fetch_add(1, Ordering::Relaxed) % DEPTHS);
}

#[inline(never)]
fn descend(depth: usize) {
    if depth == 0 {
        KEPT.lock().unwrap().push(make(SIZE));
    } else {
        descend(depth - 1);
    }
    // Keeps the call above from becoming a jump.
    black_box(depth);
}
