//! A slice iterator in a static that has reached its end.
//!
//! Clean: both of its pointers point past the end of the slice, and from there every run finds
//! the slice of the run before, and frees it.
//@ LENGTH 1..=500

use std::ptr;
use std::slice;
use std::sync::Mutex;

use crate::value::make;

/// One slice is there after each run.
pub const FULL_AFTER: usize = 1;

static FINISHED: Mutex<Option<slice::Iter<'static, u64>>> = Mutex::new(None);

pub fn core() {
    let length = make::<Vec<u8>>(LENGTH).len();
    let numbers: Box<[u64]> = (0..length as u64).collect();
    let numbers: &'static [u64] = Box::leak(numbers);
    let mut iterator = numbers.iter();
    assert!(iterator.by_ref().copied().eq(0..length as u64));
    let before = FINISHED.lock().unwrap().replace(iterator);
    if let Some(before) = before {
        let end = before.as_slice().as_ptr().cast_mut();
        // SAFETY: the iterator was that of a boxed slice of LENGTH numbers, which is not freed
        // yet, and no other pointer to it is used any more.
        unsafe {
            drop(Box::from_raw(ptr::slice_from_raw_parts_mut(end.sub(LENGTH), LENGTH)));
        }
    }
}
