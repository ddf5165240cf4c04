//! A list in a static that gets two entries from two lines in a run, and loses an older one.
//!
//! A leak: every run makes the list longer by one. The entry that goes may be of either line, so
//! each line pauses now and then. Their sum never does: entries of both lines are of nearly the
//! same size.
//@ SIZE 16..=4000
//@ PATTERN 1..=255
//@ Value shared

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::value::make;

static KEPT: Mutex<Vec<(bool, Value)>> = Mutex::new(Vec::new());
static RUN: AtomicUsize = AtomicUsize::new(0);

pub fn core() {
    let run = RUN.fetch_add(1, Ordering::Relaxed);
    let mut kept = KEPT.lock().unwrap();
    // The bits of PATTERN say of which line the entry is that goes.
    let of_first = PATTERN >> (run % 8) & 1 == 1;
    let older = kept.iter().position(|(is_first, _)| *is_first == of_first);
    kept.push((true, first()));
    kept.push((false, second()));
    if let Some(older) = older {
        kept.remove(older);
    }
}

#[inline(never)]
fn first() -> Value {
    make(SIZE)
}

#[inline(never)]
fn second() -> Value {
    make(SIZE + 1)
}
