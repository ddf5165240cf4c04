//! Slots in a static, which threads share by their number.
//!
//! Clean: there are SLOTS of them. A thread that finds another one's value in its slot replaces
//! it.
//@ SLOTS 1..=16
//@ THREADS 0..=4
//@ SIZE 1..=2000
//@ Value shared

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::value::make;

/// All slots are taken after so many runs: threads have numbers in turn. With THREADS = 0 a run
/// has one thread, if it is a new one.
pub const FULL_AFTER: usize = if THREADS == 0 { SLOTS } else { SLOTS.div_ceil(THREADS) };

static PLACES: [Mutex<Option<(usize, Value)>>; SLOTS] = [const { Mutex::new(None) }; SLOTS];
static NEXT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed);
}

fn visit() {
    let number = NUMBER.with(|number| *number);
    let mut place = PLACES[number % SLOTS].lock().unwrap();
    if place.as_ref().is_none_or(|(owner, _)| *owner != number) {
        *place = Some((number, make(SIZE)));
    }
}

pub fn core() {
    if THREADS == 0 {
        visit();
    }
    for _ in 0..THREADS {
        thread::spawn(visit).join().expect("it takes a slot");
    }
}
