//! A buffer in the thread-local of a worker that lives on, as large as its largest job.
//!
//! Clean: jobs repeat after JOBS runs.
//@ JOBS 1..=20
//@ SIZE 1..=400

use std::cell::RefCell;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{LazyLock, Mutex};
use std::thread;

/// The buffer has had all jobs after so many runs.
pub const FULL_AFTER: usize = JOBS;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

static WORKER: LazyLock<SyncSender<(usize, SyncSender<usize>)>> = LazyLock::new(|| {
    let (sender, receiver) = sync_channel::<(usize, SyncSender<usize>)>(1);
    thread::spawn(move || {
        for (size, done) in receiver {
            let len = SCRATCH.with_borrow_mut(|scratch| {
                scratch.clear();
                scratch.resize(size, 1);
                scratch.len()
            });
            let _ = done.send(len);
        }
    });
    sender
});

static RUN: Mutex<usize> = Mutex::new(0);

pub fn core() {
    let mut run = RUN.lock().unwrap();
    *run += 1;
    let (done, wait) = sync_channel(1);
    WORKER.send((SIZE * (1 + *run * 7 % JOBS), done)).expect("the worker is alive");
    assert!(wait.recv().is_ok());
}
