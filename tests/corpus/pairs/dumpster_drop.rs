//! A value that a destructor puts on the collector's heap while it collects is never dropped.

use std::cell::OnceCell;

use dumpster::unsync::{Gc, collect};
use dumpster::{Trace, Visitor};

/// A value that points to itself. Its destructor calls a function.
struct Loop(OnceCell<Gc<Loop>>, fn());

unsafe impl Trace for Loop {
    fn accept<V: Visitor>(&self, visitor: &mut V) -> Result<(), ()> {
        self.0.accept(visitor)
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        (self.1)();
    }
}

fn collect_loop(at_drop: fn()) {
    let knot = Gc::new(Loop(OnceCell::new(), at_drop));
    let _ = knot.0.set(knot.clone());
    drop(knot);
    collect();
    collect();
}

#[test]
pub fn dumpster_drop() {
    collect_loop(|| drop(Gc::new(format!("the last words of {}", "a loop")))); // leaks
}

/// A destructor that makes nothing.
#[test]
pub fn a_plain_loop() {
    collect_loop(|| {});
}
