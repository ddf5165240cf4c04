//! A thread-local whose destructor forgets what it was to drop.
//!
//! A leak: the destructor runs once in each thread, and every run starts new ones.
//@ SIZE 1..=4000
//@ THREADS 1..=4
//@ Value local

use std::cell::RefCell;
use std::mem;
use std::thread;

use crate::value::make;

struct Buffer(Option<Value>);

impl Drop for Buffer {
    fn drop(&mut self) {
        mem::forget(self.0.take());
    }
}

thread_local! {
    static BUFFER: RefCell<Buffer> = const { RefCell::new(Buffer(None)) };
}

pub fn core() {
    for _ in 0..THREADS {
        let fill = || BUFFER.with_borrow_mut(|buffer| buffer.0 = Some(make(SIZE)));
        thread::spawn(fill).join().expect("it only fills a buffer");
    }
}
