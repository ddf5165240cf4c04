//! Two buffers in a static that take turns, each with room for the most that it was ever given.
//!
//! Clean: sizes repeat after SIZES runs.
//@ SIZES 2..=20
//@ SIZE 1..=400

use std::sync::Mutex;

/// Both buffers have had all sizes after so many runs.
pub const FULL_AFTER: usize = 2 * SIZES;

static BUFFERS: Mutex<(usize, [Vec<u8>; 2])> = Mutex::new((0, [Vec::new(), Vec::new()]));

pub fn core() {
    let mut all = BUFFERS.lock().unwrap();
    let (run, buffers) = &mut *all;
    *run += 1;
    let buffer = &mut buffers[*run % 2];
    buffer.clear();
    buffer.resize(SIZE * (1 + *run * 7 % SIZES), 1);
}
