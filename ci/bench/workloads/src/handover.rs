//! Boxes that one thread allocates and another one frees.

use std::hint::black_box;
use std::sync::mpsc;

use crate::descent::at_depth;
use crate::{Figure, Workload, timed};

/// So many go over the channel together; otherwise the channel would be measured.
const TOGETHER: usize = 64;
/// As many parcels are on their way at most.
const ON_THEIR_WAY: usize = 32;

pub fn run(_: &Workload, boxes: usize) -> Figure {
    timed(|| {
        let (sender, receiver) = mpsc::sync_channel::<Vec<Box<[u64; 4]>>>(ON_THEIR_WAY);
        let frees = std::thread::spawn(move || receiver.into_iter().for_each(drop));
        for parcel in 0..boxes / TOGETHER {
            let make = |n: usize| {
                at_depth(10 + n % 11, parcel % 16, &mut || black_box(Box::new([n as u64; 4])))
            };
            sender
                .send((0..TOGETHER).map(make).collect())
                .expect("the other thread receives until the end");
        }
        drop(sender);
        frees.join().expect("dropping boxes does not panic");
    })
}
