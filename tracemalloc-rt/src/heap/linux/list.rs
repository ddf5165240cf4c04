//! A list in pages of its own, for code that must not use the global allocator.

use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use crate::os::memory;

const FIRST: usize = 512;

/// A growing list of plain values.
#[derive(Debug)]
pub struct List<T: Copy> {
    start: NonNull<T>,
    capacity: usize,
    len: usize,
}

impl<T: Copy> List<T> {
    /// An empty list, without memory.
    pub const fn new() -> Self {
        Self { start: NonNull::dangling(), capacity: 0, len: 0 }
    }

    /// A list with room for so many; `None` where the system has no memory.
    pub fn with_room(room: usize) -> Option<Self> {
        let start = memory::reserve(room.max(1).checked_mul(size_of::<T>())?)?;
        Some(Self { start: start.cast(), capacity: room.max(1), len: 0 })
    }

    /// A list of so many values that are all zeroes.
    ///
    /// # Safety
    ///
    /// Zeroed memory is a valid `T`.
    pub unsafe fn zeroed(len: usize) -> Option<Self> {
        let list = Self::with_room(len)?;
        Some(Self { len, ..list })
    }

    /// Adds a value. False when the system has no memory; then the list is as it was.
    #[inline]
    pub fn push(&mut self, value: T) -> bool {
        if self.len == self.capacity && !self.grow() {
            return false;
        }
        // SAFETY: there is room for `capacity` values, which is more than `len`.
        unsafe { self.start.add(self.len).write(value) };
        self.len += 1;
        true
    }

    /// Forgets the values and keeps the room.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Takes the last value off.
    pub fn pop(&mut self) -> Option<T> {
        self.len = self.len.checked_sub(1)?;
        // SAFETY: the value was written by `push` and is `Copy`.
        Some(unsafe { self.start.add(self.len).read() })
    }

    /// Gives the memory back.
    pub fn release(self) {
        if self.capacity > 0 {
            // SAFETY: it was reserved with this size, and the list that referred to it is gone.
            unsafe { memory::release(self.start.cast(), self.capacity * size_of::<T>()) };
        }
    }

    fn grow(&mut self) -> bool {
        let Some(mut larger) = Self::with_room((self.capacity * 2).max(FIRST)) else {
            return false;
        };
        // SAFETY: the first `len` values are written, and the new room is larger and elsewhere.
        unsafe { larger.start.copy_from_nonoverlapping(self.start, self.len) };
        larger.len = self.len;
        core::mem::replace(self, larger).release();
        true
    }
}

impl<T: Copy> Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the first `len` values are written, and a dangling pointer will do for none.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T: Copy> DerefMut for List<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above, and the list is borrowed exclusively.
        unsafe { core::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_and_shrinks() {
        let mut list = List::new();
        assert!(list.is_empty());
        for number in 0..10_000_u32 {
            assert!(list.push(number));
        }
        assert_eq!(list.pop(), Some(9_999));
        assert!(list.iter().copied().eq(0..9_999));
        list.clear();
        assert_eq!(list.pop(), None);
        list.release();
    }
}
