//! An `Arc` that holds a `Weak` to itself.
//!
//! Clean: the `Weak` does not keep it alive.
//@ COUNT 1..=4
//@ SIZE 1..=4000
//@ Value shared

use std::hint::black_box;
use std::sync::{Arc, Weak};

use crate::value::make;

/// Nothing is there after a run.
pub const FULL_AFTER: usize = 1;

struct Node {
    own: Weak<Node>,
    value: Value,
}

pub fn core() {
    for _ in 0..COUNT {
        let node = Arc::new_cyclic(|own| Node { own: Weak::clone(own), value: make(SIZE) });
        let again = node.own.upgrade().expect("it lives");
        black_box(&again.value);
    }
}
