//! An `async` block that is polled by hand, and is pending a few times.
//@ PENDING 0..=4

use std::future::{Future, poll_fn};
use std::task::{Context, Poll, Waker};

async fn rest() {
    let mut left = PENDING;
    poll_fn(move |_| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        Poll::Pending
    })
    .await;
}

pub fn wrap(core: fn()) {
    let mut task = Box::pin(async move {
        rest().await;
        core();
        rest().await;
    });
    while task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {}
}
