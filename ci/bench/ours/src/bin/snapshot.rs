//! A snapshot of a million live blocks, and its statistics by line: `snapshot NFRAME`. `cpython.py`
//! does the same in CPython.

use std::hint::black_box;
use std::time::Instant;

use bench_traced::tracemalloc::{self, KeyType};

const BLOCKS: usize = 1_000_000;
const DEPTHS: usize = 50;

fn main() {
    let nframe = std::env::args()
        .nth(1)
        .and_then(|nframe| nframe.parse().ok())
        .expect("the argument is a number");
    tracemalloc::start(nframe).expect("the allocator traces");
    let mut kept = Vec::with_capacity(BLOCKS);
    allocate(DEPTHS, &mut kept);
    let started = Instant::now();
    let snapshot = tracemalloc::take_snapshot().expect("it traces");
    let statistics =
        snapshot.statistics(KeyType::Lineno, false).expect("the key can be used alone");
    let seconds = started.elapsed().as_secs_f64();
    assert!(statistics.iter().map(|statistic| statistic.count).sum::<u64>() >= BLOCKS as u64);
    println!("{}{seconds}", bench_workloads::FIGURE);
}

/// As many boxes at each depth of nested calls.
#[expect(clippy::vec_box, reason = "the boxes are counted")]
#[inline(never)]
fn allocate(depth: usize, kept: &mut Vec<Box<f64>>) {
    for n in 0..BLOCKS / DEPTHS {
        kept.push(black_box(Box::new(n as f64)));
    }
    if depth > 1 {
        allocate(depth - 1, kept);
    }
    black_box(depth);
}
