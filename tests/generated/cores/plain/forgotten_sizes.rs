//! Forgotten values, of another size in each run.
//!
//! A leak: nothing points to them.
//@ MOST 2..=4000
//@ SEED 1..=1000000

use std::sync::Mutex;

use crate::value::make;

static STATE: Mutex<u64> = Mutex::new(SEED as u64);

pub fn core() {
    let mut state = STATE.lock().unwrap();
    *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    std::mem::forget(make::<Vec<u8>>(1 + (*state >> 33) as usize % MOST));
}
