//! A value in memory that copies of this process share.

use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use crate::heap::linux::ptrace::Board;
use crate::heap::linux::reply::Reply;
use crate::heap::linux::stage::Stage;
use crate::os::memory;
use crate::os::spare_memory::SHARED_SIZE;

/// A value in memory that copies of this process share. It starts as zeroes.
pub struct Shared<T: ZeroesAreValid>(NonNull<T>);

/// A type of which all zeroes are a value.
///
/// # Safety
///
/// They are.
pub unsafe trait ZeroesAreValid {}

// SAFETY: numbers, arrays of numbers, and enums with a variant 0.
unsafe impl ZeroesAreValid for Reply {}
// SAFETY: numbers, and arrays of numbers.
unsafe impl ZeroesAreValid for Board {}
// SAFETY: a number.
unsafe impl ZeroesAreValid for Stage {}

// Where the system refuses memory, all of them come from the spare memory.
const _: () = assert!(size_of::<Reply>() + 2 * size_of::<Board>() < SHARED_SIZE);

impl<T: ZeroesAreValid> Shared<T> {
    /// Zeroes. `None` if the system has no memory.
    pub fn new() -> Option<Self> {
        memory::reserve_shared(size_of::<T>()).map(|place| Self(place.cast()))
    }

    /// Its place, for a copy that writes to it.
    pub fn as_ptr(&self) -> *mut T {
        self.0.as_ptr()
    }
}

impl<T: ZeroesAreValid> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the memory is reserved for as long as `self` lives, and zeroes are a valid `T`. A
        // copy writes to a `Board` and a `Stage` only inside atomics and cells. `Query` reads a
        // `Reply` only after the copy that writes to it has ended.
        unsafe { self.0.as_ref() }
    }
}

impl<T: ZeroesAreValid> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above. The borrow is exclusive, and no copy has the value yet.
        unsafe { self.0.as_mut() }
    }
}

impl<T: ZeroesAreValid> Drop for Shared<T> {
    fn drop(&mut self) {
        // SAFETY: `new` reserved it with this size, and all borrows of `self` have ended. A copy
        // has the memory in its own address space.
        unsafe { memory::release(self.0.cast(), size_of::<T>()) };
    }
}
