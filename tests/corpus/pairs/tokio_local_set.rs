//! A task that is woken when its `LocalSet` is gone enters the queue that its own state owns.

use std::future::poll_fn;
use std::sync::mpsc::channel;
use std::task::{Poll, Waker};

use tokio::runtime::Builder;
use tokio::task::LocalSet;

fn wake_late(late: bool) {
    let runtime = Builder::new_current_thread().build().unwrap();
    let local = LocalSet::new(); // leaks
    let (sender, receiver) = channel::<Waker>();
    // leaks
    local.spawn_local(poll_fn(move |cx| {
        sender.send(cx.waker().clone()).unwrap();
        Poll::<()>::Pending
    }));
    local.block_on(&runtime, tokio::task::yield_now()); // leaks
    let waker = receiver.recv().unwrap();
    if late {
        drop(local);
        std::thread::spawn(move || waker.wake()).join().unwrap(); // leaks
    }
}

#[test]
pub fn tokio_local_set() {
    wake_late(true);
}

/// A task that is not woken.
#[test]
pub fn a_task_that_sleeps() {
    wake_late(false);
}
