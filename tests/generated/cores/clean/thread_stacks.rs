//! A pool in a static that has a stack of values for each of SLOTS threads, as regex has.
//!
//! Clean: a thread takes a value from its stack, or makes one, and puts it back. Threads come one
//! after another, so a stack has one value at most.
//@ SLOTS 1..=8
//@ THREADS 0..=4
//@ SIZE 1..=2000
//@ Value shared

use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::value::make;

/// All stacks have a value after so many runs: threads have numbers in turn. With THREADS = 0 a
/// run has one thread, if it is a new one.
pub const FULL_AFTER: usize = if THREADS == 0 { SLOTS } else { SLOTS.div_ceil(THREADS) };

static STACKS: [Mutex<Vec<Box<Value>>>; SLOTS] = [const { Mutex::new(Vec::new()) }; SLOTS];
static NEXT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed);
}

fn visit() {
    let stack = &STACKS[NUMBER.with(|number| *number) % SLOTS];
    let taken = stack.lock().unwrap().pop();
    let value = taken.unwrap_or_else(|| Box::new(make(SIZE)));
    black_box(&value);
    stack.lock().unwrap().push(value);
}

pub fn core() {
    if THREADS == 0 {
        visit();
    }
    for _ in 0..THREADS {
        thread::spawn(visit).join().expect("it borrows a value");
    }
}
