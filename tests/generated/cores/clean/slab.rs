//! A slab in a static whose slots are used again, in pages that double.
//!
//! Clean: a run gives back all slots that it takes. It never has more than MOST, so pages beyond
//! those are not made. Runs take more and more until they take MOST.
//@ PAGE 2..=16
//@ MOST 1..=200
//@ RUNS 1..=12

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::value::make;

/// A run takes MOST slots from this one on.
pub const FULL_AFTER: usize = RUNS;

struct Slab {
    pages: Vec<Vec<u64>>,
    free: Vec<usize>,
    used: usize,
}

static SLAB: Mutex<Slab> = Mutex::new(Slab { pages: Vec::new(), free: Vec::new(), used: 0 });
static RUN: AtomicUsize = AtomicUsize::new(0);

fn take() -> usize {
    let mut slab = SLAB.lock().unwrap();
    if let Some(slot) = slab.free.pop() {
        return slot;
    }
    let slot = slab.used;
    slab.used += 1;
    let page = (slot / PAGE + 1).ilog2() as usize;
    if page == slab.pages.len() {
        slab.pages.push(vec![0; PAGE << page]);
    }
    slot
}

pub fn core() {
    let run = RUN.fetch_add(1, Ordering::Relaxed) + 1;
    let wanted = (MOST * run.min(RUNS)).div_ceil(RUNS);
    let taken: Vec<usize> = (0..wanted).map(|_| take()).collect();
    assert_eq!(make::<Vec<u8>>(wanted).len(), taken.len());
    SLAB.lock().unwrap().free.extend(taken);
}
