//! A map in a static that gets new keys and loses as many.
//!
//! Clean: it has LIVE entries at most. Its table may be rebuilt because of removed ones.
//@ LIVE 1..=30
//@ PER_RUN 1..=8
//@ SIZE 1..=2000
//@ Value shared

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use crate::value::make;

/// It has been full once after so many runs.
pub const FULL_AFTER: usize = 40;

static MAP: LazyLock<Mutex<(u64, HashMap<u64, Value>)>> = LazyLock::new(Default::default);

pub fn core() {
    let mut map = MAP.lock().unwrap();
    let (next, entries) = &mut *map;
    for _ in 0..PER_RUN {
        *next += 1;
        entries.insert(*next, make(SIZE));
        if let Some(old) = next.checked_sub(LIVE as u64) {
            entries.remove(&old);
        }
    }
}
