//! A task that keeps a clone of its own waker is a cycle that nothing breaks.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use unicycle::FuturesUnordered;

struct Waiting {
    waker: Option<Waker>,
    _text: String,
}

impl Future for Waiting {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.waker = Some(cx.waker().clone()); // leaks
        Poll::Pending
    }
}

#[test]
pub fn unicycle_waker() {
    let mut tasks = FuturesUnordered::new(); // leaks
    for i in 0..3 {
        tasks.push(Waiting { waker: None, _text: format!("task {i}") }); // leaks
    }
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut tasks).poll_next(&mut cx).is_pending()); // leaks
}

/// Tasks that are never polled have no waker.
#[test]
pub fn tasks_that_are_never_polled() {
    let mut tasks = FuturesUnordered::new();
    tasks.push(Waiting { waker: None, _text: "task".to_owned() });
}
