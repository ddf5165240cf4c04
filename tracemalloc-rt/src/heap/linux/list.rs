//! A list in pages of its own, for code that must not use the global allocator.

use core::cmp::Ordering;
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
    /// An empty list without memory.
    pub const fn new() -> Self {
        Self { start: NonNull::dangling(), capacity: 0, len: 0 }
    }

    /// An empty list with room for `room` values. `None` if the system has no memory.
    pub fn with_room(room: usize) -> Option<Self> {
        let start = memory::reserve(room.max(1).checked_mul(size_of::<T>())?)?;
        Some(Self { start: start.cast(), capacity: room.max(1), len: 0 })
    }

    /// A list of `len` zeroes. `None` if the system has no memory.
    ///
    /// # Safety
    ///
    /// Zeroed memory is a valid `T`.
    pub unsafe fn zeroed(len: usize) -> Option<Self> {
        let list = Self::with_room(len)?;
        Some(Self { len, ..list })
    }

    /// Adds a value. False if the system has no memory: then the list is unchanged.
    #[inline]
    pub fn push(&mut self, value: T) -> bool {
        if self.len == self.capacity && !self.grow() {
            return false;
        }
        // SAFETY: the list has room for `capacity` values, which is more than `len`.
        unsafe { self.start.add(self.len).write(value) };
        self.len += 1;
        true
    }

    /// Removes all values, and keeps the room.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Removes the values behind the first `len`.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Removes the last value.
    pub fn pop(&mut self) -> Option<T> {
        self.len = self.len.checked_sub(1)?;
        // SAFETY: the value was written by `push` and is `Copy`.
        Some(unsafe { self.start.add(self.len).read() })
    }

    /// Returns the memory to the system.
    pub fn release(self) {
        if self.capacity > 0 {
            // SAFETY: `with_room` reserved it with this size, and `self` is consumed.
            unsafe { memory::release(self.start.cast(), self.capacity * size_of::<T>()) };
        }
    }

    fn grow(&mut self) -> bool {
        let Some(mut larger) = Self::with_room((self.capacity * 2).max(FIRST)) else {
            return false;
        };
        // SAFETY: the first `len` values are written. The new room is larger, and elsewhere.
        unsafe { larger.start.copy_from_nonoverlapping(self.start, self.len) };
        larger.len = self.len;
        core::mem::replace(self, larger).release();
        true
    }
}

impl<T: Copy> Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: the first `len` values are written. For none, a dangling pointer is valid.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T: Copy> DerefMut for List<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above. The list is borrowed exclusively.
        unsafe { core::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

/// Sorts numbers: one function for all orders, because each one would be compiled for every new
/// user.
#[inline(never)]
pub fn sort(numbers: &mut [u32], order: &dyn Fn(u32, u32) -> Ordering) {
    numbers.sort_unstable_by(|a, b| order(*a, *b));
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
