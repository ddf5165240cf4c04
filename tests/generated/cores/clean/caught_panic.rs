//! A panic that unwinds through owners of values, and is caught.
//!
//! Clean: unwinding drops them, and the core drops the payload, which owns a value too.
//@ COUNT 1..=8
//@ SIZE 1..=2000
//@ Value shared

use std::hint::black_box;
use std::panic::{catch_unwind, resume_unwind};

use crate::value::make;

/// Nothing is there after a run.
pub const FULL_AFTER: usize = 1;

fn fail(count: usize) {
    let value: Value = make(SIZE);
    if count == 0 {
        resume_unwind(Box::new(make::<Value>(SIZE)));
    }
    fail(count - 1);
    black_box(&value);
}

pub fn core() {
    let payload = catch_unwind(|| fail(COUNT)).expect_err("it panics");
    assert!(payload.is::<Value>());
}
