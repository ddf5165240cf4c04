//! Vectors that grow by one element after another: blocks that are reallocated again and again.

use std::hint::black_box;

use crate::descent::at_depth;
use crate::{Figure, Workload, timed};

/// The final length of a vector: six reallocations for most.
const SHORT: usize = 200;
/// One in so many gets a hundred times as long.
const LONG_ONE_IN: usize = 1000;

pub fn run(_: &Workload, vectors: usize) -> Figure {
    timed(|| {
        for n in 0..vectors {
            let len = if n % LONG_ONE_IN == 0 { SHORT * 100 } else { SHORT };
            at_depth(10 + n % 11, n / 256 % 16, &mut || grow(len));
        }
    })
}

#[inline(never)]
fn grow(len: usize) {
    let mut vector = Vec::new();
    for n in 0..len {
        vector.push(n);
    }
    black_box(vector);
}
