//! Where `pthread_create` stays as it is.

pub fn arm() {}

pub fn is_linked() -> bool {
    false
}
