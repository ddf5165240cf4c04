//! A scoped thread, which is joined by hand.

pub fn wrap(core: fn()) {
    std::thread::scope(|scope| scope.spawn(core).join().expect("the core does not panic"));
}
