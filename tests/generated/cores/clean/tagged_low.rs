//! A pointer in a static with a tag in its low bits.
//!
//! Clean: one value is there, and every run frees the one before.
//@ TAG 1..=7
//@ SIZE 1..=4000

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One value is there after each run.
pub const FULL_AFTER: usize = 1;

/// Its alignment keeps the low bits free, and its size is at least 8.
#[repr(align(8))]
struct Tagged([u8; SIZE]);

static CURRENT: AtomicUsize = AtomicUsize::new(0);

pub fn core() {
    let new = Box::into_raw(Box::new(black_box(Tagged([1; SIZE]))));
    let old = CURRENT.swap(new.expose_provenance() | TAG, Ordering::AcqRel);
    if old != 0 {
        let old: *mut Tagged = std::ptr::with_exposed_provenance_mut(old & !7);
        // SAFETY: an earlier run made it by `Box::into_raw`, and only this run has taken it out.
        assert_eq!(unsafe { Box::from_raw(old) }.0[0], 1);
    }
}
