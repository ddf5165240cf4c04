//! A buffer of a thread that grows to the largest request.
//!
//! Clean: requests have no more than SIZES sizes, which come in turn.
//@ SIZES 1..=30
//@ SIZE 8..=400

use std::cell::RefCell;
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

/// All sizes have come after so many runs.
pub const FULL_AFTER: usize = SIZES;

static RUN: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

pub fn core() {
    let size = SIZE * (1 + RUN.fetch_add(1, Ordering::Relaxed) % SIZES);
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.clear();
        scratch.resize(size, 1);
        black_box(scratch);
    });
}
