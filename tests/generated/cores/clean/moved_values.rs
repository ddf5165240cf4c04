//! Values that one thread makes and another one drops.
//!
//! Clean: the run waits for the other thread, which has dropped all of them when it ends.
//@ COUNT 1..=20
//@ SIZE 1..=2000
//@ Value shared

use std::hint::black_box;
use std::sync::mpsc::channel;
use std::thread;

use crate::value::make;

/// Nothing is there after a run.
pub const FULL_AFTER: usize = 1;

pub fn core() {
    let (sender, receiver) = channel::<Value>();
    let consumer = thread::spawn(move || receiver.iter().map(black_box).count());
    for _ in 0..COUNT {
        sender.send(make(SIZE)).expect("the consumer is alive");
    }
    drop(sender);
    assert_eq!(consumer.join().expect("it only counts"), COUNT);
}
