//! Listeners that are never removed.
//!
//! A leak: every run registers closures that own a value, and the list of them has no way out.
//@ SIZE 1..=4000
//@ COUNT 1..=5
//@ Value shared

use std::hint::black_box;
use std::sync::Mutex;

use crate::value::make;

type Listener = Box<dyn Fn(usize) + Send>;

static LISTENERS: Mutex<Vec<Listener>> = Mutex::new(Vec::new());

pub fn core() {
    let mut listeners = LISTENERS.lock().unwrap();
    for _ in 0..COUNT {
        let value: Value = make(SIZE);
        listeners.push(Box::new(move |event| {
            black_box((&value, event));
        }));
    }
    let last = listeners.last().expect("there is one");
    last(COUNT);
}
