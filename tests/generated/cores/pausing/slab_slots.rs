//! A slab in a static with a list of free slots, to which a run returns all slots but one.
//!
//! A leak: the slot is never used again, so a new page is needed every PAGE runs.
//@ PAGE 2..=16
//@ PER_RUN 1..=4
//@ SIZE 1..=200

use std::sync::Mutex;

use crate::value::make;

struct Slab {
    pages: Vec<Vec<u8>>,
    free: Vec<usize>,
}

static SLAB: Mutex<Slab> = Mutex::new(Slab { pages: Vec::new(), free: Vec::new() });

impl Slab {
    fn take(&mut self) -> usize {
        if self.free.is_empty() {
            self.pages.push(make(SIZE * PAGE));
            let first = (self.pages.len() - 1) * PAGE;
            self.free.extend(first..first + PAGE);
        }
        self.free.pop().expect("a page was added")
    }
}

pub fn core() {
    let mut slab = SLAB.lock().unwrap();
    let taken: Vec<usize> = (0..PER_RUN).map(|_| slab.take()).collect();
    slab.free.extend(&taken[1..]);
}
