//! Runs a test of the pair again and again, and prints how many bytes a round leaves behind: the
//! least of several windows of rounds.
//!
//! This is the truth that the checkers are compared with: it shares no code with them.

#[path = "PAIR.rs"]
mod pair;

use std::alloc::{GlobalAlloc, Layout, System};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicIsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// So many windows are measured however long they take: on a busy machine a single one may be that
/// in which a crate's threads came behind.
const LEAST_WINDOWS: u32 = 3;

/// Bytes that are live.
static LIVE: AtomicIsize = AtomicIsize::new(0);

struct Counting;

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size() as isize, Relaxed);
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as isize, Relaxed);
        // SAFETY: the caller keeps the contract of `GlobalAlloc::dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Lets threads end and other threads free, then reads the count. On a busy machine that takes
/// longer, so the count must stay the same for a while.
fn live() -> isize {
    let started = Instant::now();
    loop {
        let before = LIVE.load(Relaxed);
        thread::sleep(Duration::from_millis(300));
        let now = LIVE.load(Relaxed);
        if now == before || started.elapsed() > Duration::from_secs(5) {
            return now;
        }
    }
}

#[test]
fn rounds() {
    let wanted = std::env::var("CORPUS_TEST").expect("CORPUS_TEST names a test");
    let tests: &[(&str, fn())] = &TESTS;
    let (_, test) = tests.iter().find(|(name, _)| *name == wanted).expect("a listed test");
    // Tests that are expected to panic do so in every round.
    panic::set_hook(Box::new(|_| {}));
    let run = |rounds: isize| {
        for _ in 0..rounds {
            let _ = panic::catch_unwind(AssertUnwindSafe(test));
        }
        live()
    };
    // Each window has as many rounds as all before it, so that pages that double grow in each.
    // Memory that is only freed late stops growing in one of them.
    let (mut done, started) = (64, Instant::now());
    let (mut before, mut least, mut windows) = (run(done), isize::MAX, 0);
    while windows < LEAST_WINDOWS || done < 4096 && started.elapsed() < Duration::from_secs(10) {
        let now = run(done);
        least = least.min((now - before) / done);
        (before, done, windows) = (now, 2 * done, windows + 1);
    }
    println!("bytes a round: {least}");
}
