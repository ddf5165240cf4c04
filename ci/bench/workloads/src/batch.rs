//! Small slices from deep stacks, made by the hundred and dropped by the ten thousand. A block
//! costs little untraced, so the cost of the tracer shows.

use std::hint::black_box;

use crate::descent::at_depth;
use crate::random::Random;
use crate::{Figure, Workload, timed};

/// So many slices come from one stack in a row.
const FROM_A_STACK: usize = 100;
/// As many stay until all of them are dropped.
const KEPT: usize = 10_000;
/// As many ways there are, and each is 10 to 20 calls long: 176 stacks.
const WAYS: usize = 16;

pub fn on_1(_: &Workload, slices: usize) -> Figure {
    timed(|| batches(slices, 0))
}

pub fn on_2(_: &Workload, slices: usize) -> Figure {
    on_threads(slices, 2)
}

pub fn on_8(_: &Workload, slices: usize) -> Figure {
    on_threads(slices, 8)
}

fn on_threads(slices: usize, threads: usize) -> Figure {
    timed(|| {
        std::thread::scope(|scope| {
            for thread in 0..threads {
                scope.spawn(move || batches(slices / threads, thread as u64));
            }
        });
    })
}

fn batches(slices: usize, seed: u64) {
    let mut random = Random::new(seed);
    let mut kept: Vec<Box<[u8]>> = Vec::with_capacity(KEPT);
    for batch in 0..slices / FROM_A_STACK {
        at_depth(10 + batch % 11, random.below(WAYS), &mut || {
            for _ in 0..FROM_A_STACK {
                kept.push(slice(16 + 8 * random.below(9)));
            }
        });
        if kept.len() == KEPT {
            kept.clear();
        }
    }
}

/// A vector, boxed without a reallocation.
#[inline(never)]
fn slice(size: usize) -> Box<[u8]> {
    black_box(vec![1_u8; size]).into_boxed_slice()
}
