//! A `OnceLock` and a `LazyLock` on the stack.
//!
//! Clean: what they were initialised with is dropped with them.
//@ COUNT 1..=4
//@ SIZE 1..=4000
//@ Value local

use std::hint::black_box;
use std::sync::{LazyLock, OnceLock};

use crate::value::make;

/// Nothing is there after a run.
pub const FULL_AFTER: usize = 1;

pub fn core() {
    for _ in 0..COUNT {
        let cell: OnceLock<Value> = OnceLock::new();
        let lazy: LazyLock<Value> = LazyLock::new(|| make(SIZE));
        black_box((cell.get_or_init(|| make(SIZE)), &*lazy));
    }
}
