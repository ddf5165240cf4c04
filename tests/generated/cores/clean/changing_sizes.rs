//! Slots in a static, each replaced in turn by a value of another size.
//!
//! Clean: it keeps SLOTS values of at most MOST bytes each. The live memory goes up and down.
//@ SLOTS 1..=20
//@ MOST 100..=4000
//@ SEED 1..=1000000
//@ Value shared

use std::sync::Mutex;

use crate::value::make;

/// It is full after so many runs; later, it only varies.
pub const FULL_AFTER: usize = 200;

static ALL: Mutex<(u64, Vec<Value>)> = Mutex::new((SEED as u64, Vec::new()));

pub fn core() {
    let mut all = ALL.lock().unwrap();
    let (state, slots) = &mut *all;
    *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    let value = make(*state as usize >> 40 & 0xff_ffff % MOST | 1);
    if slots.len() < SLOTS {
        slots.push(value);
    } else {
        slots[(*state >> 33) as usize % SLOTS] = value;
    }
}
