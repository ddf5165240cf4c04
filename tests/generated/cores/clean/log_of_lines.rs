//! The last lines of a log, of changing lengths, in a static.
//!
//! Clean: it keeps LINES lines at most.
//@ LINES 1..=40
//@ PER_RUN 1..=3
//@ LENGTHS 2..=13
//@ SIZE 1..=100

use std::collections::VecDeque;
use std::sync::Mutex;

use crate::value::make;

/// It is full after so many runs, and its lengths repeat.
pub const FULL_AFTER: usize = LINES.div_ceil(PER_RUN) + LENGTHS;

static LOG: Mutex<(usize, VecDeque<String>)> = Mutex::new((0, VecDeque::new()));

pub fn core() {
    let mut log = LOG.lock().unwrap();
    let (number, lines) = &mut *log;
    for _ in 0..PER_RUN {
        *number += 1;
        lines.push_back(make(SIZE * (1 + *number * 5 % LENGTHS)));
        if lines.len() > LINES {
            lines.pop_front();
        }
    }
}
