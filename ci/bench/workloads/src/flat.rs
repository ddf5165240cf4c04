//! Boxes that are replaced at random among many live ones, to see if more live blocks cost more.

use std::hint::black_box;

use crate::descent::at_depth;
use crate::random::Random;
use crate::{Figure, Workload, timed};

pub fn run(workload: &Workload, replaced: usize) -> Figure {
    let mut random = Random::new(0);
    let mut live: Vec<Box<[u64; 4]>> =
        (0..workload.live).map(|n| Box::new([n as u64; 4])).collect();
    timed(|| {
        for n in 0..replaced {
            live[random.below(workload.live)] =
                at_depth(10 + n % 11, n / 256 % 16, &mut || black_box(Box::new([n as u64; 4])));
        }
    })
}
