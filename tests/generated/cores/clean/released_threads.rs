//! Threads that wait for the core to let them go.
//!
//! Clean: the core does so, and waits for their ends, when they have dropped what they own.
//@ THREADS 1..=4
//@ SIZE 1..=2000
//@ Value shared

use std::hint::black_box;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use crate::value::make;

/// No thread is left after a run.
pub const FULL_AFTER: usize = 1;

pub fn core() {
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let threads: [_; THREADS] = std::array::from_fn(|_| {
        let (gate, value) = (Arc::clone(&gate), make::<Value>(SIZE));
        thread::spawn(move || {
            let (open, changed) = &*gate;
            drop(changed.wait_while(open.lock().unwrap(), |open| !*open).unwrap());
            black_box(&value);
        })
    });
    *gate.0.lock().unwrap() = true;
    gate.1.notify_all();
    for thread in threads {
        thread.join().expect("it only waits");
    }
}
