//! Two statics, each with a line of its own, that grow in turn.
//!
//! A leak: every run adds an entry to one of them, and nothing takes one out again.
//@ SIZE 1..=4000
//@ Value shared

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::value::make;

static ODD: Mutex<Vec<Value>> = Mutex::new(Vec::new());
static EVEN: Mutex<VecDeque<Value>> = Mutex::new(VecDeque::new());
static RUN: AtomicUsize = AtomicUsize::new(0);

pub fn core() {
    if RUN.fetch_add(1, Ordering::Relaxed) % 2 == 0 {
        EVEN.lock().unwrap().push_back(first());
    } else {
        ODD.lock().unwrap().push(second());
    }
}

#[inline(never)]
fn first() -> Value {
    make(SIZE)
}

#[inline(never)]
fn second() -> Value {
    make(SIZE + 1)
}
