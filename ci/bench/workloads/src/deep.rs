//! A recursion that has a box in each call, as recursive descent over a tree has.

use std::hint::black_box;

use crate::{Figure, Workload, timed};

const DEPTH: u64 = 200;

pub fn run(_: &Workload, times: usize) -> Figure {
    timed(|| {
        for _ in 0..times {
            black_box(descend(DEPTH));
        }
    })
}

#[inline(never)]
fn descend(depth: u64) -> u64 {
    if depth == 0 {
        return 0;
    }
    let mine = black_box(Box::new([depth; 3]));
    descend(depth - 1) + mine[0]
}
