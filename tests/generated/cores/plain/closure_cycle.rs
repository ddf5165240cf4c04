//! A closure that owns its owner.
//!
//! A leak: the button owns its handler, and the handler owns the button.
//@ SIZE 1..=4000
//@ Value local

use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;

use crate::value::make;

#[derive(Default)]
struct Button {
    handler: RefCell<Option<Box<dyn Fn()>>>,
}

pub fn core() {
    let button = Rc::new(Button::default());
    let (owner, value) = (Rc::clone(&button), make::<Value>(SIZE));
    button.handler.replace(Some(Box::new(move || {
        black_box((&owner.handler, &value));
    })));
    button.handler.borrow().as_ref().expect("it was set")();
}
