//! A body that sets something up in its first run, then rests, and then leaks.
//!
//! A leak: from run REST + 2 on, every run adds an entry to a static. Before that, the first run
//! keeps a table, and REST runs keep nothing.
//@ SIZE 1..=4000
//@ REST 1..=3
//@ Value shared

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::value::make;

static TABLE: Mutex<Option<Value>> = Mutex::new(None);
static KEPT: Mutex<Vec<Value>> = Mutex::new(Vec::new());
static RUN: AtomicUsize = AtomicUsize::new(0);

pub fn core() {
    TABLE.lock().unwrap().get_or_insert_with(|| make(SIZE));
    if RUN.fetch_add(1, Ordering::Relaxed) > REST {
        KEPT.lock().unwrap().push(make(SIZE));
    }
}
