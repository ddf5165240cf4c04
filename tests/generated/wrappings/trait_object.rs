//! A method of a trait object behind an `Rc`.
//@ SIZE 1..=200

use std::rc::Rc;

trait Task {
    fn run(&self) -> usize;
}

struct Named {
    name: String,
    core: fn(),
}

impl Task for Named {
    fn run(&self) -> usize {
        (self.core)();
        self.name.len()
    }
}

pub fn wrap(core: fn()) {
    let task: Rc<dyn Task> = Rc::new(Named { name: crate::value::make(SIZE), core });
    assert_eq!(std::hint::black_box(&task).run(), SIZE);
}
