//! A list in a static whose entries are of another type in each run.
//!
//! A leak: every run adds an entry, and nothing takes one out again. A type comes back after three
//! runs.
//@ SIZE 1..=4000
//@ First shared
//@ Second shared
//@ Third shared

use std::any::Any;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::value::make;

static KEPT: Mutex<Vec<Box<dyn Any + Send>>> = Mutex::new(Vec::new());
static RUN: AtomicUsize = AtomicUsize::new(0);

pub fn core() {
    let entry: Box<dyn Any + Send> = match RUN.fetch_add(1, Ordering::Relaxed) % 3 {
        0 => Box::new(make::<First>(SIZE)),
        1 => Box::new(make::<Second>(SIZE + 1)),
        _ => Box::new(make::<Third>(SIZE + 2)),
    };
    KEPT.lock().unwrap().push(entry);
}
