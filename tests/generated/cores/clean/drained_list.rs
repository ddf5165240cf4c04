//! A linked list by hand that every run empties.
//!
//! Clean: a run frees all nodes that it has put in front.
//@ COUNT 1..=20
//@ SIZE 1..=2000
//@ Value shared

use std::hint::black_box;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::value::make;

/// Nothing is there after a run.
pub const FULL_AFTER: usize = 1;

struct Node {
    next: *mut Node,
    value: Value,
}

static HEAD: AtomicPtr<Node> = AtomicPtr::new(ptr::null_mut());

pub fn core() {
    for _ in 0..COUNT {
        let next = HEAD.load(Ordering::Acquire);
        HEAD.store(Box::into_raw(Box::new(Node { next, value: make(SIZE) })), Ordering::Release);
    }
    loop {
        let head = HEAD.load(Ordering::Acquire);
        if head.is_null() {
            break;
        }
        // SAFETY: `Box::into_raw` made it, and it leaves the list here.
        let node = unsafe { Box::from_raw(head) };
        black_box(&node.value);
        HEAD.store(node.next, Ordering::Release);
    }
}
