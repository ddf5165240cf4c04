//! Small boxes from many places, most of them freed at once, some later.

use std::hint::black_box;
use std::mem::MaybeUninit;

use crate::descent::at_depth;
use crate::random::Random;
use crate::{Figure, Workload, timed};

/// So many boxes of each thread stay for a while.
const KEPT: usize = 1024;
/// As many boxes in a row come by the same way through the code.
const A_WAY: usize = 256;
/// As many ways there are, and each is 10 to 20 calls long: 176 stacks.
const WAYS: usize = 16;

pub fn on_1(_: &Workload, boxes: usize) -> Figure {
    timed(|| storm(boxes, 0))
}

pub fn on_2(_: &Workload, boxes: usize) -> Figure {
    on_threads(boxes, 2)
}

pub fn on_8(_: &Workload, boxes: usize) -> Figure {
    on_threads(boxes, 8)
}

fn on_threads(boxes: usize, threads: usize) -> Figure {
    timed(|| {
        std::thread::scope(|scope| {
            for thread in 0..threads {
                scope.spawn(move || storm(boxes / threads, thread as u64));
            }
        });
    })
}

fn storm(boxes: usize, seed: u64) {
    let mut random = Random::new(seed);
    let mut kept: Vec<Option<Box<[MaybeUninit<u8>]>>> = (0..KEPT).map(|_| None).collect();
    for n in 0..boxes {
        let size = 8 + 8 * random.below(16);
        let made =
            at_depth(10 + n % 11, n / A_WAY % WAYS, &mut || black_box(Box::new_uninit_slice(size)));
        if n % 4 == 0 {
            kept[random.below(KEPT)] = Some(made);
        }
    }
}
