//! A list in a static that grows for PERIOD runs and is then cleared.
//!
//! Clean: it has PERIOD entries at most.
//@ PERIOD 2..=40
//@ SIZE 1..=1000
//@ Value shared

use std::sync::Mutex;

use crate::value::make;

/// It has been full, and was cleared, after so many runs.
pub const FULL_AFTER: usize = PERIOD;

static KEPT: Mutex<Vec<Value>> = Mutex::new(Vec::new());

pub fn core() {
    let mut kept = KEPT.lock().unwrap();
    if kept.len() == PERIOD {
        *kept = Vec::new();
    }
    kept.push(make(SIZE));
}
