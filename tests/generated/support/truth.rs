//! Runs every body often under an allocator that counts, and compares what it comes to with what
//! the body's name says. No tracer takes part.
//!
//! `truth` runs all bodies, each in a process of its own. `truth NAME` runs one.

use std::alloc::{GlobalAlloc, Layout, System};
use std::panic;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicIsize, Ordering};
use std::thread;

mod bodies;

use bodies::BODIES;

/// A body, as the generator knows it.
struct Body {
    name: &'static str,
    /// After so many runs a clean body keeps nothing more. None: it leaks.
    full_after: Option<usize>,
    run: fn(),
}

/// Runs that a leak has to show in.
const LEAK_RUNS: usize = 400;
/// Runs of a clean body beyond those in which it fills.
const CLEAN_RUNS: usize = 200;

/// Counts the bytes that are live.
struct Counting;

static LIVE: AtomicIsize = AtomicIsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: `System` does the work. What a layout's size is counted by is never used for memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: the caller's promise is the one that `System` needs.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: the caller's promise is the one that `System` needs.
        unsafe { System.dealloc(pointer, layout) };
    }
}

fn main() -> ExitCode {
    if let Some(name) = std::env::args().nth(1) {
        let body = BODIES.iter().find(|body| body.name == name).expect("a body of this name");
        return check(body);
    }
    let this = std::env::current_exe().expect("the path of this program");
    let mut wrong = 0;
    for body in BODIES {
        let status = Command::new(&this).arg(body.name).status().expect("this program starts");
        if !status.success() {
            println!("{} is not what its name says: {status}", body.name);
            wrong += 1;
        }
    }
    println!("{} bodies, {wrong} of them are not what their names say", BODIES.len());
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether a body does what it has to.
fn check(body: &Body) -> ExitCode {
    panic::set_hook(Box::new(|panic| {
        if !panic.payload_as_str().is_some_and(|message| message == "as expected") {
            eprintln!("{panic}");
        }
    }));
    let before = LIVE.load(Ordering::Relaxed);
    // The most bytes that are live at the end of one of so many runs.
    let peak = |runs| (0..runs).map(|_| live_after(body.run) - before).max().expect("a run");
    let (early, late, right): (_, _, fn(isize, isize) -> bool) = match body.full_after {
        Some(runs) => (peak(runs), peak(CLEAN_RUNS), |early, late| late <= 2 * early + 1024),
        None => {
            let (early, rest) = (LEAK_RUNS / 4, LEAK_RUNS / 4 * 3);
            (peak(early), peak(rest), |early, late| late > 2 * early)
        }
    };
    let right = right(early, late);
    if right {
        return ExitCode::SUCCESS;
    }
    println!("{}: {early} bytes live early, {late} late", body.name);
    ExitCode::FAILURE
}

/// The live memory after one run, in a thread of its own.
fn live_after(run: fn()) -> isize {
    thread::Builder::new().spawn(run).expect("a thread starts").join().expect("the body passes");
    LIVE.load(Ordering::Relaxed)
}
