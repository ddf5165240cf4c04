//! Many blocks that are live at once, and their cost in time and memory.

use std::hint::black_box;

use crate::descent::at_depth;
use crate::{Figure, Workload, timed};

/// Allocates them all, then frees them all.
pub fn time(_: &Workload, boxes: usize) -> Figure {
    timed(|| drop(black_box(boxes_of::<2>(boxes))))
}

/// The bytes of this process that became resident for each box of 8 bytes, with the box and the
/// pointer to it.
pub fn memory(_: &Workload, boxes: usize) -> Figure {
    // A tracer may take its first memory now.
    drop(black_box(boxes_of::<1>(1000)));
    let before = resident();
    let mut bytes = 0.0;
    let took = timed(|| {
        let kept = black_box(boxes_of::<1>(boxes));
        bytes = resident() - before;
        drop(kept);
    });
    Figure { value: bytes / boxes as f64, ..took }
}

fn boxes_of<const WORDS: usize>(count: usize) -> Vec<Box<[u64; WORDS]>> {
    let mut boxes = Vec::with_capacity(count);
    for n in 0..count {
        boxes.push(at_depth(10 + n % 11, n / 256 % 16, &mut || {
            black_box(Box::new([n as u64; WORDS]))
        }));
    }
    boxes
}

/// The bytes of this process that are in memory.
fn resident() -> f64 {
    let status =
        std::fs::read_to_string("/proc/self/status").expect("Linux tells of every process");
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it tells its memory");
    let kilobytes: f64 = line.trim_end_matches("kB").trim().parse().expect("it is a number");
    kilobytes * 1024.0
}
