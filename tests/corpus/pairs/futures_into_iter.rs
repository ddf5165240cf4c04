//! Tasks that an iterator by value has passed are forgotten when they are not ready to run.

use std::future::{Pending, pending};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_util::Stream;
use futures_util::stream::FuturesUnordered;

fn wait(polled: bool) {
    let mut requests: FuturesUnordered<Pending<()>> = FuturesUnordered::new(); // leaks
    for _ in 0..3 {
        requests.push(pending()); // leaks
    }
    if polled {
        let mut cx = Context::from_waker(Waker::noop());
        assert_eq!(Pin::new(&mut requests).poll_next(&mut cx), Poll::Pending);
    }
    assert_eq!(requests.into_iter().count(), 3);
}

#[test]
pub fn futures_into_iter() {
    wait(true);
}

/// Tasks that were never polled are all ready to run.
#[test]
pub fn tasks_that_are_ready() {
    wait(false);
}
