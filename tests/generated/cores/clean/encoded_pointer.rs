//! A pointer in a static in a form that no search for pointers recognises.
//!
//! Clean: one value is there, and every run frees the one before.
//@ FORM 0..=4
//@ SIZE 1..=4000

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One value is there after each run.
pub const FULL_AFTER: usize = 1;

static CURRENT: AtomicUsize = AtomicUsize::new(0);

fn encode(address: usize) -> usize {
    match FORM {
        0 => address << 1 | 1,
        1 => address >> 3,
        2 => !address,
        3 => address.rotate_left(32),
        _ => address ^ 0x5555_5555_5555,
    }
}

fn decode(word: usize) -> usize {
    match FORM {
        0 => word >> 1,
        1 => word << 3,
        2 => !word,
        3 => word.rotate_right(32),
        _ => word ^ 0x5555_5555_5555,
    }
}

pub fn core() {
    let new = Box::into_raw(Box::new(black_box([1_u64; SIZE.div_ceil(8)])));
    let old = CURRENT.swap(encode(new.expose_provenance()), Ordering::AcqRel);
    if old != 0 {
        let old: *mut [u64; SIZE.div_ceil(8)] = std::ptr::with_exposed_provenance_mut(decode(old));
        // SAFETY: an earlier run made it by `Box::into_raw`, and only this run has taken it out.
        assert_eq!(unsafe { Box::from_raw(old) }[0], 1);
    }
}
