//! An entry of a static that a panic keeps from being taken out.
//!
//! A leak: the code after the panic would have removed it.
//@ SIZE 1..=4000
//@ Value shared

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use crate::value::make;

static ACTIVE: Mutex<Vec<Value>> = Mutex::new(Vec::new());

fn work() {
    ACTIVE.lock().unwrap_or_else(PoisonError::into_inner).push(make(SIZE));
    if std::hint::black_box(SIZE) > 0 {
        std::panic::resume_unwind(Box::new(SIZE));
    }
    ACTIVE.lock().unwrap_or_else(PoisonError::into_inner).pop();
}

pub fn core() {
    assert!(catch_unwind(AssertUnwindSafe(work)).is_err());
}
