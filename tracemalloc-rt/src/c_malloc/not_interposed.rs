//! No definition of `malloc`, on systems where it stays as it is.

/// False: the program's `malloc` is another one.
pub fn is_linked() -> bool {
    false
}

/// Does nothing, and returns false: C's blocks are not traced.
pub fn arm() -> bool {
    false
}

/// Calls an inner allocator.
#[inline(always)]
pub fn unseen<R>(allocate: impl FnOnce() -> R) -> R {
    allocate()
}
