//! A ring of nodes in a static, each found by a pointer to its middle only.
//!
//! Clean: it has CAPACITY nodes at most. The pointers lead to a field behind the value, as those of
//! intrusive lists do.
//@ CAPACITY 1..=20
//@ SIZE 1..=1000
//@ Value shared

use std::collections::VecDeque;
use std::mem::offset_of;
use std::sync::Mutex;

use crate::value::make;

/// It is full after so many runs.
pub const FULL_AFTER: usize = CAPACITY;

#[repr(C)]
struct Node {
    value: Value,
    padding: [u64; 4],
    link: u64,
}

struct Link(*mut u64);

// SAFETY: the list owns the node behind it, and the nodes may be sent.
unsafe impl Send for Link {}

static LINKS: Mutex<VecDeque<Link>> = Mutex::new(VecDeque::new());

pub fn core() {
    let node = Box::into_raw(Box::new(Node { value: make(SIZE), padding: [1; 4], link: 1 }));
    let mut links = LINKS.lock().unwrap();
    if links.len() == CAPACITY {
        let oldest = links.pop_front().expect("it is full").0;
        let node: *mut Node = oldest.wrapping_byte_sub(offset_of!(Node, link)).cast();
        // SAFETY: the link of a node that this list owns, and that goes now.
        let node = unsafe { Box::from_raw(node) };
        assert_eq!(node.padding[3] + node.link, 2);
        drop(node.value);
    }
    // SAFETY: the node is valid.
    links.push_back(Link(unsafe { &raw mut (*node).link }));
}
