//! A thread that waits for a message which cannot come.
//!
//! A leak: the thread has the only sender itself, so `recv` never returns, and what the thread
//! owns stays.
//@ SIZE 1..=4000
//@ COUNT 1..=3
//@ Value shared

use std::hint::black_box;
use std::sync::mpsc::channel;
use std::thread;

use crate::value::make;

pub fn core() {
    let values: Vec<Value> = (0..COUNT).map(|_| make(SIZE)).collect();
    let (sender, receiver) = channel::<usize>();
    let stuck = move || {
        let message = receiver.recv();
        black_box((&values, &sender, message.ok()));
    };
    thread::Builder::new().stack_size(256 << 10).spawn(stuck).expect("a thread starts");
}
