//! A closure in a box, which owns a text.
//@ SIZE 1..=200

pub fn wrap(core: fn()) {
    let text: String = crate::value::make(SIZE);
    let closure: Box<dyn FnOnce() -> usize> = Box::new(move || {
        core();
        text.len()
    });
    assert_eq!(std::hint::black_box(closure)(), SIZE);
}
