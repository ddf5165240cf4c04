//! A `catch_unwind`, perhaps with a panic after the core.
//@ PANICS 0..=1

pub fn wrap(core: fn()) {
    let caught = std::panic::catch_unwind(|| {
        core();
        assert!(PANICS == 0, "as expected");
    });
    assert_eq!(caught.is_err(), PANICS == 1);
}
