//! A tree whose nodes point back to their parent.
//!
//! Clean: they do so by `Weak`, so dropping the root drops all of it.
//@ NODES 1..=20
//@ SIZE 1..=2000
//@ Value local

use std::cell::RefCell;
use std::hint::black_box;
use std::rc::{Rc, Weak};

use crate::value::make;

/// Nothing is there after a run.
pub const FULL_AFTER: usize = 1;

struct Node {
    parent: Weak<Node>,
    children: RefCell<Vec<Rc<Node>>>,
    value: Value,
}

fn node(parent: Weak<Node>) -> Rc<Node> {
    Rc::new(Node { parent, children: RefCell::default(), value: make(SIZE) })
}

pub fn core() {
    let root = node(Weak::new());
    let mut parent = Rc::clone(&root);
    for number in 0..NODES {
        let child = node(Rc::downgrade(&parent));
        assert!(child.parent.upgrade().is_some());
        parent.children.borrow_mut().push(Rc::clone(&child));
        if number % 3 == 0 {
            parent = child;
        }
    }
    black_box(&root.value);
}
