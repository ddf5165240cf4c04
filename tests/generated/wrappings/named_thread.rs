//! A thread with a name and a small stack, which starts another one.

use std::thread::{Builder, spawn};

pub fn wrap(core: fn()) {
    let builder = Builder::new().name("worker".to_owned()).stack_size(256 << 10);
    let thread = builder.spawn(move || spawn(core).join().expect("the core does not panic"));
    thread.expect("a thread starts").join().expect("its thread does not panic");
}
