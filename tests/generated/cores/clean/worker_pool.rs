//! Workers in a static pool, which live on.
//!
//! Clean: a job owns its value, the worker drops both, and the run waits for that. The first run
//! starts the workers.
//@ WORKERS 1..=4
//@ JOBS 1..=20
//@ SIZE 1..=2000
//@ Value shared

use std::hint::black_box;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, LazyLock, Mutex};
use std::thread;

use crate::value::make;

/// The channel's own blocks hold 31 jobs each.
pub const FULL_AFTER: usize = 32;

type Job = Box<dyn FnOnce() + Send>;

static DONE: Mutex<usize> = Mutex::new(0);
static DONE_CHANGED: Condvar = Condvar::new();

static POOL: LazyLock<Sender<Job>> = LazyLock::new(|| {
    let (sender, receiver) = channel::<Job>();
    let jobs = Arc::new(Mutex::new(receiver));
    for _ in 0..WORKERS {
        let jobs = Arc::clone(&jobs);
        thread::spawn(move || {
            loop {
                let Ok(job) = jobs.lock().unwrap().recv() else { break };
                job();
                *DONE.lock().unwrap() += 1;
                DONE_CHANGED.notify_all();
            }
        });
    }
    sender
});

pub fn core() {
    let wanted = *DONE.lock().unwrap() + JOBS;
    for _ in 0..JOBS {
        let value: Value = make(SIZE);
        let job = Box::new(move || drop(black_box(value)));
        POOL.send(job).expect("the workers are alive");
    }
    let done = DONE.lock().unwrap();
    drop(DONE_CHANGED.wait_while(done, |done| *done < wanted).unwrap());
}
