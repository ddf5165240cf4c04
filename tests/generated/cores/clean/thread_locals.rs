//! A thread-local list in threads that end.
//!
//! Clean: a thread's list is dropped when the thread ends, before `join` returns.
//@ THREADS 1..=4
//@ COUNT 1..=5
//@ SIZE 1..=2000
//@ Value local

use std::cell::RefCell;
use std::thread;

use crate::value::make;

/// No thread is left after a run.
pub const FULL_AFTER: usize = 1;

thread_local! {
    static KEPT: RefCell<Vec<Value>> = RefCell::new(vec![make(SIZE)]);
}

fn fill() {
    for _ in 0..COUNT {
        KEPT.with_borrow_mut(|kept| kept.push(make(SIZE)));
    }
}

pub fn core() {
    for _ in 0..THREADS {
        thread::spawn(fill).join().expect("it fills a list");
    }
}
