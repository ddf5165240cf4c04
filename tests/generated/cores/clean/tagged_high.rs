//! A pointer in a static with a counter in its upper 16 bits.
//!
//! Clean: one value is there, and every run frees the one before.
//@ TAG 1..=65535
//@ SIZE 1..=4000

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One value is there after each run.
pub const FULL_AFTER: usize = 1;

const ADDRESS: usize = (1 << 48) - 1;

static CURRENT: AtomicUsize = AtomicUsize::new(0);

pub fn core() {
    let new = Box::into_raw(Box::new(black_box([1_u8; SIZE])));
    let old = CURRENT.swap(new.expose_provenance() | TAG << 48, Ordering::AcqRel);
    if old != 0 {
        let old: *mut [u8; SIZE] = std::ptr::with_exposed_provenance_mut(old & ADDRESS);
        // SAFETY: an earlier run made it by `Box::into_raw`, and only this run has taken it out.
        assert_eq!(unsafe { Box::from_raw(old) }[0], 1);
    }
}
