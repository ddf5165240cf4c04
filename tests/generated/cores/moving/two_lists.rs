//! Two lists in two statics that take turns, and a third value that is replaced.
//!
//! A leak: nothing shortens the lists. Each of them rests in every other run.
//@ SIZE 1..=4000
//@ NOISE 1..=4000
//@ Value shared

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::value::make;

static EVEN: Mutex<Vec<Value>> = Mutex::new(Vec::new());
static ODD: Mutex<Vec<Value>> = Mutex::new(Vec::new());
static NOISE_OF_RUN: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static RUN: AtomicUsize = AtomicUsize::new(0);

pub fn core() {
    let run = RUN.fetch_add(1, Ordering::Relaxed);
    let list = if run % 2 == 0 { &EVEN } else { &ODD };
    list.lock().unwrap().push(make(SIZE));
    *NOISE_OF_RUN.lock().unwrap() = make(1 + run * 7919 % NOISE);
}
