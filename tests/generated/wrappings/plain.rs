//! A call.

pub fn wrap(core: fn()) {
    core();
}
