//! Values that become raw pointers, or are forgotten, and come back.
//!
//! Clean: for each of them the core restores the owner, which is dropped.
//@ COUNT 1..=8
//@ SIZE 1..=4000
//@ Value local

use std::hint::black_box;
use std::mem::{self, ManuallyDrop};
use std::rc::Rc;

use crate::value::make;

/// Nothing is there after a run.
pub const FULL_AFTER: usize = 1;

pub fn core() {
    for _ in 0..COUNT {
        let boxed = black_box(Box::into_raw(Box::new(make::<Value>(SIZE))));
        let shared = black_box(Rc::into_raw(Rc::new(make::<Value>(SIZE))));
        let mut kept = ManuallyDrop::new(make::<Value>(SIZE));
        let mut bytes = make::<Vec<u8>>(SIZE);
        let (pointer, length, capacity) = (bytes.as_mut_ptr(), bytes.len(), bytes.capacity());
        mem::forget(bytes);
        // SAFETY: each owner was given up above, and is restored once from its own parts.
        unsafe {
            drop(Box::from_raw(boxed));
            drop(Rc::from_raw(shared));
            ManuallyDrop::drop(&mut kept);
            drop(Vec::from_raw_parts(black_box(pointer), length, capacity));
        }
    }
}
