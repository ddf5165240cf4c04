//! Texts that are handed to C.
//!
//! A leak: `CString::into_raw` is not followed by `CString::from_raw`.
//@ SIZE 1..=4000
//@ COUNT 1..=8

use std::ffi::CString;
use std::hint::black_box;

use crate::value::make;

pub fn core() {
    for _ in 0..COUNT {
        let text = CString::new(make::<Vec<u8>>(SIZE)).expect("the bytes are not zero");
        black_box(text.into_raw());
    }
}
