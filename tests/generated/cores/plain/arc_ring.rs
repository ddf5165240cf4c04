//! A ring of `Arc`s that two threads tie.
//!
//! A leak: each node owns the next one, so no count reaches zero, and nothing outside points to a
//! node.
//@ SIZE 1..=2000
//@ NODES 2..=6
//@ Value shared

use std::sync::{Arc, Mutex};
use std::thread;

use crate::value::make;

struct Node {
    next: Mutex<Option<Arc<Node>>>,
    _value: Value,
}

fn node() -> Arc<Node> {
    Arc::new(Node { next: Mutex::new(None), _value: make(SIZE) })
}

pub fn core() {
    let first = node();
    let mut last = Arc::clone(&first);
    for _ in 1..NODES {
        let next = node();
        *last.next.lock().unwrap() = Some(Arc::clone(&next));
        last = next;
    }
    let tie = move || *last.next.lock().unwrap() = Some(first);
    thread::spawn(tie).join().expect("it ties the ring");
}
