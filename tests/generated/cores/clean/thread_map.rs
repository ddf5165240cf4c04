//! A map by thread id in a static that drops its oldest entry when it is full.
//!
//! Clean: it keeps CAPACITY entries at most.
//@ CAPACITY 1..=16
//@ THREADS 0..=4
//@ SIZE 1..=2000
//@ Value shared

use std::collections::VecDeque;
use std::sync::Mutex;
use std::thread::{self, ThreadId};

use crate::value::make;

/// It is full after so many runs. With THREADS = 0 a run has one thread, if it is a new one.
pub const FULL_AFTER: usize = if THREADS == 0 { CAPACITY } else { CAPACITY.div_ceil(THREADS) };

static TABLES: Mutex<VecDeque<(ThreadId, Value)>> = Mutex::new(VecDeque::new());

fn visit() {
    let id = thread::current().id();
    let mut tables = TABLES.lock().unwrap();
    if tables.iter().any(|(owner, _)| *owner == id) {
        return;
    }
    if tables.len() == CAPACITY {
        tables.pop_front();
    }
    tables.push_back((id, make(SIZE)));
}

pub fn core() {
    if THREADS == 0 {
        visit();
    }
    for _ in 0..THREADS {
        thread::spawn(visit).join().expect("it computes a table");
    }
}
