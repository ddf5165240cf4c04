//! `Rc`s that become raw pointers.
//!
//! A leak: the count that `Rc::into_raw` leaves behind is never given back.
//@ SIZE 1..=4000
//@ COUNT 1..=8
//@ Value local

use std::hint::black_box;
use std::rc::Rc;

use crate::value::make;

pub fn core() {
    for _ in 0..COUNT {
        let value = Rc::new(make::<Value>(SIZE));
        black_box(Rc::into_raw(Rc::clone(&value)));
    }
}
