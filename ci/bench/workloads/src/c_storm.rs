//! The storm in C: `malloc` and `free` instead of boxes.

use crate::{Figure, Workload, timed};

unsafe extern "C" {
    fn c_storm(blocks: usize);
}

pub fn run(_: &Workload, blocks: usize) -> Figure {
    // SAFETY: takes any number. No other thread calls it.
    timed(|| unsafe { c_storm(blocks) })
}
