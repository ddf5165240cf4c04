//! A wheel of timers in a static, whose entries go after SLOTS runs.
//!
//! Clean: each slot is cleared before its entries are replaced.
//@ SLOTS 1..=20
//@ PER_RUN 1..=4
//@ SIZE 1..=1000
//@ Value shared

use std::sync::{LazyLock, Mutex};

use crate::value::make;

/// Each slot has entries after so many runs.
pub const FULL_AFTER: usize = SLOTS;

struct Wheel {
    slots: Vec<Vec<Value>>,
    now: usize,
}

static WHEEL: LazyLock<Mutex<Wheel>> = LazyLock::new(|| {
    let slots = (0..SLOTS).map(|_| Vec::new()).collect();
    Mutex::new(Wheel { slots, now: 0 })
});

pub fn core() {
    let mut wheel = WHEEL.lock().unwrap();
    let now = wheel.now;
    wheel.now = (now + 1) % SLOTS;
    wheel.slots[now].clear();
    wheel.slots[now].extend((0..PER_RUN).map(|_| make::<Value>(SIZE)));
}
