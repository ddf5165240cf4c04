//! A list in a static whose entries have random sizes.
//!
//! A leak: every run adds one, and nothing takes one out again.
//@ MOST 2..=4000
//@ SEED 1..=1000000
//@ Value shared

use std::sync::Mutex;

use crate::value::make;

static KEPT: Mutex<(u64, Vec<Value>)> = Mutex::new((SEED as u64, Vec::new()));

pub fn core() {
    let mut kept = KEPT.lock().unwrap();
    let (state, list) = &mut *kept;
    *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    list.push(make(1 + (*state >> 33) as usize % MOST));
}
