//! Listeners in a static that are removed by their guards.
//!
//! Clean: every run drops the guards that it gets.
//@ COUNT 1..=8
//@ SIZE 1..=4000
//@ Value shared

use std::hint::black_box;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::value::make;

/// No listener is there after a run.
pub const FULL_AFTER: usize = 1;

type Listener = Box<dyn Fn(usize) + Send>;

static LISTENERS: Mutex<Vec<(usize, Listener)>> = Mutex::new(Vec::new());
static NEXT: AtomicUsize = AtomicUsize::new(0);

struct Guard(usize);

impl Drop for Guard {
    fn drop(&mut self) {
        LISTENERS.lock().unwrap().retain(|(id, _)| *id != self.0);
    }
}

fn listen() -> Guard {
    let (id, value) = (NEXT.fetch_add(1, Ordering::Relaxed), make::<Value>(SIZE));
    let listener: Listener = Box::new(move |event| {
        black_box((&value, event));
    });
    LISTENERS.lock().unwrap().push((id, listener));
    Guard(id)
}

pub fn core() {
    let guards: [Guard; COUNT] = std::array::from_fn(|_| listen());
    LISTENERS.lock().unwrap().iter().for_each(|(id, listener)| listener(*id));
    drop(guards);
}
