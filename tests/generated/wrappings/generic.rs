//! A method of a generic type.
//@ SIZE 1..=200
//@ Value local

struct Service<T, F> {
    state: T,
    call: F,
}

impl<T, F: Fn()> Service<T, F> {
    fn run(&self) -> &T {
        (self.call)();
        &self.state
    }
}

pub fn wrap(core: fn()) {
    let service = Service { state: crate::value::make::<Value>(SIZE), call: move || core() };
    std::hint::black_box(service.run());
}
