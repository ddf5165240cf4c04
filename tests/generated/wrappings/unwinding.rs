//! A guard that calls the core while a panic unwinds.

struct Guard(fn());

impl Drop for Guard {
    fn drop(&mut self) {
        (self.0)();
    }
}

pub fn wrap(core: fn()) {
    let caught = std::panic::catch_unwind(|| {
        let _guard = Guard(core);
        std::panic::resume_unwind(Box::new(1));
    });
    assert!(caught.is_err());
}
