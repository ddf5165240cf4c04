//! A list in a static whose first entries come from another line than all later ones.
//!
//! A leak: every run adds an entry, and nothing takes one out again. The line that leaks for ever
//! is first reached in run FIRST + 1.
//@ SIZE 1..=4000
//@ FIRST 1..=4
//@ Value shared

use std::sync::Mutex;

use crate::value::make;

static KEPT: Mutex<Vec<Value>> = Mutex::new(Vec::new());

pub fn core() {
    let mut kept = KEPT.lock().unwrap();
    let entry = if kept.len() < FIRST { early() } else { late() };
    kept.push(entry);
}

#[inline(never)]
fn early() -> Value {
    make(SIZE + 1)
}

#[inline(never)]
fn late() -> Value {
    make(SIZE)
}
