//! A ring of `Rc`s that is broken before it is dropped.
//!
//! Clean: once one node has let go of the next one, dropping it drops all of them.
//@ NODES 2..=6
//@ SIZE 1..=2000
//@ Value local

use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;

use crate::value::make;

/// Nothing is there after a run.
pub const FULL_AFTER: usize = 1;

struct Node {
    next: RefCell<Option<Rc<Node>>>,
    value: Value,
}

pub fn core() {
    let node = |_| Rc::new(Node { next: RefCell::new(None), value: make(SIZE) });
    let nodes: Vec<Rc<Node>> = (0..NODES).map(node).collect();
    for (number, node) in nodes.iter().enumerate() {
        node.next.replace(Some(Rc::clone(&nodes[(number + 1) % NODES])));
    }
    let last = nodes.into_iter().next_back().expect("there are two at least");
    black_box(&last.value);
    last.next.take();
}
