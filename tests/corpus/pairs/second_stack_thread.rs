//! The stack of a thread that ends is not freed: the thread-local has no destructor.

use std::mem::MaybeUninit;
use std::thread;

fn fill(bytes: usize) -> usize {
    let write = move || {
        // leaks
        second_stack::uninit_slice(bytes, |slice: &mut [MaybeUninit<u8>]| {
            slice.iter_mut().for_each(|byte| _ = byte.write(7));
            slice.len()
        })
    };
    thread::spawn(write).join().unwrap()
}

#[test]
pub fn second_stack_thread() {
    assert_eq!(fill(1000), 1000);
}

/// So few bytes that the thread's own stack has room for them.
#[test]
pub fn a_short_slice() {
    assert_eq!(fill(10), 10);
}
