//! `Tracemalloc`: an allocator around another one, which records each allocation and each free.
//!
//! It forwards each call to the inner allocator, and reports the result to
//! [`record`](crate::trace::record). Pointers, sizes and alignments are the inner allocator's own.

use core::alloc::{GlobalAlloc, Layout};
use std::alloc::System;

use crate::bridge;
use crate::c_malloc::inner_allocator;
use crate::trace::record::{
    allocated, forget_common, freed, is_for_program, is_unsampled, reallocation_failed,
};

/// A global allocator around another one, which remembers where each live block was allocated.
///
/// It passes every call on to the other allocator. It records nothing until tracing is started: by
/// [`start`](crate::start), or by the environment variable `TRACEMALLOC`.
///
/// ```
/// use tracemalloc::Tracemalloc;
///
/// #[global_allocator]
/// static ALLOCATOR: Tracemalloc = Tracemalloc::system();
///
/// tracemalloc::start(1).unwrap();
/// let numbers = vec![1_u32, 2, 3];
/// assert_eq!(tracemalloc::get_traced_memory().0, 12);
/// # drop(numbers);
/// ```
#[derive(Debug, Default)]
pub struct Tracemalloc<A = System> {
    inner: A,
}

impl Tracemalloc<System> {
    /// Traces blocks of the system's allocator.
    ///
    /// ```
    /// use tracemalloc::Tracemalloc;
    ///
    /// #[global_allocator]
    /// static ALLOCATOR: Tracemalloc = Tracemalloc::system();
    /// # fn main() {}
    /// ```
    pub const fn system() -> Self {
        Self::new(System)
    }
}

impl<A> Tracemalloc<A> {
    /// Traces blocks of `inner`.
    ///
    /// ```
    /// # use std::alloc::System;
    /// use tracemalloc::Tracemalloc;
    ///
    /// #[global_allocator]
    /// static ALLOCATOR: Tracemalloc<System> = Tracemalloc::new(System);
    /// # fn main() {}
    /// ```
    pub const fn new(inner: A) -> Self {
        Self { inner }
    }
}

// SAFETY: every call is handed on to `inner` with the same arguments, and its result is returned as
// it is. Recording reads the address as a number, and never the contents of the block. One call
// also writes: to fresh zeroed memory of the layout that only the bridge allocates, `alloc_zeroed`
// writes a pointer (`bridge::answer`). The block is large enough and aligned for it, and no other
// code has seen the block. For this one layout the block is thus not all zeroes, as `GlobalAlloc`
// has it. No type has such a layout: its size, 56 bytes, is no multiple of its alignment, 32 KiB.
// So only code that makes up exactly this layout by hand can see the difference.
unsafe impl<A: GlobalAlloc + 'static> GlobalAlloc for Tracemalloc<A> {
    // Functions that allocate are not inlined, so that walks start at a frame of our own in every
    // build. In an optimised build `__rust_alloc` is a jump to here, and has no frame of its own.
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is handed on.
        let block = unsafe { inner_allocator::alloc(&self.inner, layout) };
        allocated(block, layout.size(), Self::alloc as *const ());
        block
    }

    #[inline(never)]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is handed on.
        let block = unsafe { inner_allocator::alloc_zeroed(&self.inner, layout) };
        bridge::answer(block, layout);
        allocated(block, layout.size(), Self::alloc_zeroed as *const ());
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let is_forgotten = if is_for_program() {
            is_unsampled(block.addr())
        } else {
            forget_common::<false, false>(block.addr()).is_ok()
        };
        if !is_forgotten {
            // The last call of this function, so that the fast path has no register to save for it.
            // SAFETY: the caller's promise is handed on.
            return unsafe { self.dealloc_any(block, layout) };
        }
        // SAFETY: the caller's promise is handed on.
        unsafe { inner_allocator::dealloc(&self.inner, block, layout) };
    }

    #[inline(never)]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let old = freed(block.addr(), Self::realloc as *const ());
        // SAFETY: the caller's promise is handed on.
        let new = unsafe { inner_allocator::realloc(&self.inner, block, layout, new_size) };
        if new.is_null() {
            reallocation_failed(block, old);
        } else {
            allocated(new, new_size, Self::realloc as *const ());
        }
        new
    }
}

impl<A: GlobalAlloc + 'static> Tracemalloc<A> {
    /// # Safety
    ///
    /// That of [`GlobalAlloc::dealloc`].
    #[inline(never)]
    unsafe fn dealloc_any(&self, block: *mut u8, layout: Layout) {
        freed(block.addr(), Self::dealloc_any as *const ());
        // SAFETY: the caller's promise is handed on.
        unsafe { inner_allocator::dealloc(&self.inner, block, layout) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first bytes of a fresh zeroed block, up to the size of a pointer.
    fn first_bytes(size: usize, align: usize) -> usize {
        let allocator = Tracemalloc::system();
        let layout = Layout::from_size_align(size, align).expect("the alignment is a power of two");
        let mut first = [0; size_of::<usize>()];
        let count = size.min(first.len());
        // SAFETY: the size is not zero; the block is read within its size, and freed by the same
        // allocator with the same layout.
        unsafe {
            let block = allocator.alloc_zeroed(layout);
            assert!(!block.is_null());
            first[..count].copy_from_slice(core::slice::from_raw_parts(block, count));
            allocator.dealloc(block, layout);
        }
        usize::from_ne_bytes(first)
    }

    #[test]
    fn only_a_block_that_no_type_can_have_is_not_all_zeroes() {
        assert_ne!(first_bytes(56, 1 << 15), 0, "this layout is the bridge's question");
        for align in (0..17).map(|bits| 1 << bits) {
            for size in [1, 8, 55, 56, 57, 64, 4096, 1 << 15, 1 << 16] {
                if (size, align) != (56, 1 << 15) {
                    assert_eq!(first_bytes(size, align), 0, "{size} bytes, aligned to {align}");
                }
            }
        }
    }
}
