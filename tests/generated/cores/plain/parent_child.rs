//! A parent and children that own each other.
//!
//! A leak: the children hold their parent by an `Rc` where a `Weak` is needed, so both counts stay
//! above zero.
//@ SIZE 1..=2000
//@ CHILDREN 1..=5
//@ Value local

use std::cell::RefCell;
use std::rc::Rc;

use crate::value::make;

struct Parent {
    children: RefCell<Vec<Rc<Child>>>,
}

struct Child {
    _parent: Rc<Parent>,
    _value: Value,
}

pub fn core() {
    let parent = Rc::new(Parent { children: RefCell::new(Vec::new()) });
    for _ in 0..CHILDREN {
        let child = Child { _parent: Rc::clone(&parent), _value: make(SIZE) };
        parent.children.borrow_mut().push(Rc::new(child));
    }
}
