//! A queue in a static whose consumer takes fewer jobs than its producer adds.
//!
//! A leak: the queue gets longer by BEHIND jobs a run.
//@ PER_RUN 2..=5
//@ BEHIND 1..=2
//@ SIZE 1..=2000
//@ Value shared

use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::Mutex;

use crate::value::make;

static JOBS: Mutex<VecDeque<Value>> = Mutex::new(VecDeque::new());

pub fn core() {
    let mut jobs = JOBS.lock().unwrap();
    for _ in 0..PER_RUN {
        jobs.push_back(make(SIZE));
    }
    for _ in BEHIND..PER_RUN {
        black_box(jobs.pop_front());
    }
}
