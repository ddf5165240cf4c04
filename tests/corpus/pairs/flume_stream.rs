//! Each poll of a stream without a message adds an entry to the channel's list of waiters.

use std::pin::Pin;
use std::sync::{LazyLock, Mutex};
use std::task::{Context, Poll, Waker};

use flume::r#async::RecvStream;
use flume::{Sender, unbounded};
use futures_core::Stream;

type Channel = (Sender<String>, RecvStream<'static, String>);

static EVENTS: LazyLock<Mutex<Channel>> = LazyLock::new(|| Mutex::new(channel()));

fn channel() -> Channel {
    let (sender, receiver) = unbounded();
    (sender, receiver.into_stream())
}

fn poll((_, stream): &mut Channel) {
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..10 {
        assert_eq!(Pin::new(&mut *stream).poll_next(&mut cx), Poll::Pending); // leaks
    }
}

#[test]
pub fn flume_stream() {
    poll(&mut EVENTS.lock().unwrap());
}

/// The same on a channel that is dropped.
#[test]
pub fn flume_stream_of_a_local() {
    poll(&mut channel());
}
