//! A channel in a static that receives nothing.
//!
//! A leak: every run sends, and the values wait in the channel for ever.
//@ SIZE 1..=4000
//@ COUNT 1..=5
//@ Value shared

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{LazyLock, Mutex};

use crate::value::make;

type Ends = (Sender<Value>, Mutex<Receiver<Value>>);

static EVENTS: LazyLock<Ends> = LazyLock::new(|| {
    let (sender, receiver) = channel();
    (sender, Mutex::new(receiver))
});

pub fn core() {
    for _ in 0..COUNT {
        let value = make(SIZE);
        EVENTS.0.send(value).expect("the receiver is alive");
    }
}
