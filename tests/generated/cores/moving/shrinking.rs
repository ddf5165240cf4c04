//! A list in a static whose entries get smaller from run to run, down to SIZE.
//!
//! A leak: each run adds one, however small.
//@ SIZE 16..=400
//@ FACTOR 2..=30

use std::sync::Mutex;

use crate::value::make;

static KEPT: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

pub fn core() {
    let mut kept = KEPT.lock().unwrap();
    let size = SIZE + SIZE * FACTOR / (kept.len() + 1);
    kept.push(make(size));
}
