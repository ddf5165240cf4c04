//! A list in the thread-local of a worker that lives on.
//!
//! A leak: the worker never ends, so its list is never dropped, and every run makes it longer.
//@ SIZE 1..=4000
//@ COUNT 1..=5
//@ Value local

use std::cell::RefCell;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Condvar, LazyLock, Mutex};
use std::thread;

use crate::value::make;

thread_local! {
    static KEPT: RefCell<Vec<Value>> = const { RefCell::new(Vec::new()) };
}

static DONE: Mutex<usize> = Mutex::new(0);
static DONE_CHANGED: Condvar = Condvar::new();

static WORKER: LazyLock<SyncSender<usize>> = LazyLock::new(|| {
    let (sender, receiver) = sync_channel(1);
    thread::spawn(move || {
        for size in receiver {
            KEPT.with_borrow_mut(|kept| kept.push(make(size)));
            *DONE.lock().unwrap() += 1;
            DONE_CHANGED.notify_all();
        }
    });
    sender
});

pub fn core() {
    let wanted = *DONE.lock().unwrap() + COUNT;
    for _ in 0..COUNT {
        WORKER.send(SIZE).expect("the worker is alive");
    }
    let done = DONE.lock().unwrap();
    drop(DONE_CHANGED.wait_while(done, |done| *done < wanted).unwrap());
}
