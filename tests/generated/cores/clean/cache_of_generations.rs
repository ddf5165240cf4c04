//! A cache of two generations in a static: when the young one is full, the old one goes.
//!
//! Clean: each generation has CAPACITY entries at most. The live memory rises for CAPACITY /
//! PER_RUN runs, and falls then.
//@ CAPACITY 1..=20
//@ PER_RUN 1..=4
//@ SIZE 1..=2000
//@ Value shared

use std::mem;
use std::sync::Mutex;

use crate::value::make;

/// Both generations are full after so many runs.
pub const FULL_AFTER: usize = (2 * CAPACITY).div_ceil(PER_RUN);

static GENERATIONS: Mutex<(Vec<Value>, Vec<Value>)> = Mutex::new((Vec::new(), Vec::new()));

pub fn core() {
    let mut generations = GENERATIONS.lock().unwrap();
    let (young, old) = &mut *generations;
    for _ in 0..PER_RUN {
        if young.len() == CAPACITY {
            *old = mem::take(young);
        }
        young.push(make(SIZE));
    }
}
