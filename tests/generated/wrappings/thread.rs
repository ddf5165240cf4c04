//! A thread of its own.

pub fn wrap(core: fn()) {
    std::thread::spawn(core).join().expect("the core does not panic");
}
