//! A pointer in an atomic that every run replaces.
//!
//! Clean: the run frees what the pointer led to before.
//@ SIZE 1..=4000
//@ Value shared

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::value::make;

/// One value is there after each run.
pub const FULL_AFTER: usize = 1;

static CURRENT: AtomicPtr<Value> = AtomicPtr::new(ptr::null_mut());

pub fn core() {
    let new = Box::into_raw(Box::new(make(SIZE)));
    let old = CURRENT.swap(new, Ordering::AcqRel);
    if !old.is_null() {
        // SAFETY: an earlier run made it by `Box::into_raw`, and only this run has taken it out.
        drop(unsafe { Box::from_raw(old) });
    }
}
