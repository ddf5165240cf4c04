//! No definition of `malloc`, on systems where it stays as it is.

use std::alloc::System;

/// Why C's blocks cannot be traced.
pub fn obstacle() -> Option<&'static str> {
    Some("it is traced on x86-64 Linux with glibc only")
}

/// Does nothing, and returns false: C's blocks are not traced.
pub fn arm() -> bool {
    false
}

/// Does nothing: C's blocks are not traced.
pub fn arm_for_program() {}

/// C's allocator.
pub const C_LIBRARY: System = System;

/// False: C's allocator has no second name here.
#[inline(always)]
pub fn is_direct() -> bool {
    false
}

/// Calls an inner allocator.
#[inline(always)]
pub fn unseen<R>(allocate: impl FnOnce() -> R) -> R {
    allocate()
}
