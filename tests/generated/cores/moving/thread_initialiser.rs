//! A thread-local whose initialiser leaks its value.
//!
//! A leak: the initialiser runs once in each thread, the threads end, and every run starts new
//! ones.
//@ SIZE 1..=4000
//@ THREADS 1..=4
//@ Value shared

use std::hint::black_box;
use std::thread;

use crate::value::make;

thread_local! {
    static TABLE: &'static Value = Box::leak(Box::new(make(SIZE)));
}

pub fn core() {
    for _ in 0..THREADS {
        let visit = || TABLE.with(|table| assert!(size_of_val(black_box(*table)) > 0));
        thread::spawn(visit).join().expect("it only looks");
    }
}
