//! A list of weak references that is never tidied.
//!
//! A leak: the values are dropped, but a `Weak` keeps the block of its `Arc` allocated, and the
//! list is never shortened.
//@ SIZE 1..=500
//@ COUNT 1..=5
//@ Value shared

use std::sync::{Arc, Mutex, Weak};

use crate::value::make;

struct Session {
    _value: Value,
    _buffer: [u8; SIZE],
}

static SESSIONS: Mutex<Vec<Weak<Session>>> = Mutex::new(Vec::new());

pub fn core() {
    for _ in 0..COUNT {
        let session = Arc::new(Session { _value: make(SIZE), _buffer: [1; SIZE] });
        SESSIONS.lock().unwrap().push(Arc::downgrade(&session));
    }
}
