//! A slab whose slots are never used again, in pages that double.
//!
//! A leak: every run takes new slots, and no page is ever freed. The memory grows like the
//! number of runs, but in steps: page N has PAGE << N slots. The first runs have new pages, later
//! ones pause for longer and longer.
//@ PAGE 4..=64
//@ PER_RUN 1..=3

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

static PAGES: Mutex<Vec<Vec<u64>>> = Mutex::new(Vec::new());
static USED: AtomicUsize = AtomicUsize::new(0);

pub fn core() {
    // A run takes PER_RUN pages' worth of slots, measured by the first page.
    for _ in 0..PER_RUN * PAGE {
        let slot = USED.fetch_add(1, Ordering::Relaxed);
        let page = (slot / PAGE + 1).ilog2() as usize;
        let mut pages = PAGES.lock().unwrap();
        if page == pages.len() {
            pages.push(vec![0; PAGE << page]);
        }
        let first = ((1 << page) - 1) * PAGE;
        pages[page][slot - first] = slot as u64;
    }
}
