//! A receiver that a second task polls forgets the handle of the first.

use std::sync::Arc;

use futures::executor::{Notify, spawn};
use futures::{Async, Future, future};
use tokio_sync::oneshot::{Receiver, channel};

struct Task {
    _name: String,
}

impl Notify for Task {
    fn notify(&self, _: usize) {}
}

/// Polls the receiver once, in a task of its own.
fn poll(receiver: &mut Receiver<u32>, name: &str) {
    let task = Arc::new(Task { _name: format!("the task called {name}") }); // leaks
    let once = future::lazy(|| receiver.poll().map(|answer| assert_eq!(answer, Async::NotReady)));
    let polled = spawn(once).poll_future_notify(&task, 0); // leaks
    assert_eq!(polled, Ok(Async::Ready(())));
}

#[test]
pub fn tokio_sync_oneshot() {
    let (sender, mut receiver) = channel();
    poll(&mut receiver, "first");
    poll(&mut receiver, "second");
    drop(sender);
}

/// A receiver that one task polls.
#[test]
pub fn one_task() {
    let (sender, mut receiver) = channel();
    poll(&mut receiver, "only");
    drop(sender);
}
