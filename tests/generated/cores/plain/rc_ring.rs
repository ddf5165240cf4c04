//! Rings of `Rc`s.
//!
//! A leak: each node owns the next one, so no count reaches zero, and nothing outside points to a
//! node.
//@ SIZE 1..=2000
//@ NODES 2..=6
//@ RINGS 1..=3
//@ Value local

use std::cell::RefCell;
use std::rc::Rc;

use crate::value::make;

struct Node {
    next: RefCell<Option<Rc<Node>>>,
    _value: Value,
}

pub fn core() {
    for _ in 0..RINGS {
        let node = |_| Rc::new(Node { next: RefCell::new(None), _value: make(SIZE) });
        let nodes: Vec<Rc<Node>> = (0..NODES).map(node).collect();
        for (number, node) in nodes.iter().enumerate() {
            node.next.replace(Some(Rc::clone(&nodes[(number + 1) % NODES])));
        }
    }
}
