//! A linked list by hand.
//!
//! A leak: every run puts nodes in front of the list, and nothing takes one off.
//@ SIZE 1..=4000
//@ COUNT 1..=5
//@ Value shared

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::value::make;

struct Node {
    _next: *mut Node,
    _value: Value,
}

static HEAD: AtomicPtr<Node> = AtomicPtr::new(ptr::null_mut());

pub fn core() {
    for _ in 0..COUNT {
        let next = HEAD.load(Ordering::Acquire);
        let node = Box::new(Node { _next: next, _value: make(SIZE) });
        HEAD.store(Box::into_raw(node), Ordering::Release);
    }
}
