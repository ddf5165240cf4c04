//! A channel in a static that every run drains.
//!
//! Clean: a run receives all that it has sent. The channel keeps a block or two of its own.
//@ COUNT 1..=40
//@ SIZE 1..=2000
//@ Value shared

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{LazyLock, Mutex};

use crate::value::make;

/// The channel's own blocks hold 31 messages each.
pub const FULL_AFTER: usize = 32;

type Ends = (Sender<Value>, Mutex<Receiver<Value>>);

static EVENTS: LazyLock<Ends> = LazyLock::new(|| {
    let (sender, receiver) = channel();
    (sender, Mutex::new(receiver))
});

pub fn core() {
    for _ in 0..COUNT {
        EVENTS.0.send(make(SIZE)).expect("the receiver is alive");
    }
    assert_eq!(EVENTS.1.lock().unwrap().try_iter().count(), COUNT);
}
