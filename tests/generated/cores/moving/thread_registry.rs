//! A thread-local whose initialiser enters its value into a static.
//!
//! A leak: the initialiser runs once in each thread, every run starts new threads, and no entry
//! goes when its thread ends.
//@ SIZE 1..=4000
//@ THREADS 1..=4
//@ Value shared

use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::thread;

use crate::value::make;

static REGISTRY: Mutex<Vec<Arc<Value>>> = Mutex::new(Vec::new());

thread_local! {
    static OWN: Arc<Value> = register();
}

fn register() -> Arc<Value> {
    let value = Arc::new(make(SIZE));
    REGISTRY.lock().unwrap().push(Arc::clone(&value));
    value
}

pub fn core() {
    for _ in 0..THREADS {
        let visit = || OWN.with(|own| drop(black_box(Arc::clone(own))));
        thread::spawn(visit).join().expect("it only looks");
    }
}
