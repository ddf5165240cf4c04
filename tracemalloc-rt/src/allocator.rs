//! The tracing allocator, and what one allocation and one free do.
//!
//! An allocation:
//! 1. the inner allocator is asked; null is passed on, there is nothing to record;
//! 2. nothing more happens unless somebody wants it recorded and the thread is not paused;
//! 3. the stack is walked as far as it differs from the last one, and named;
//! 4. the block is noted in the shadow, and added to the thread's ledger.
//!
//! What nearly all allocations and frees have in common is code of its own (`record_common`,
//! `forget_common`), which gives up before anything is changed where something is not as usual.
//!
//! A free forgets the block *before* the inner allocator gets it back, or another thread could be
//! given the same address and lose its note. A reallocation forgets, asks, and notes the new block,
//! or the old one again where it failed.
//!
//! Nothing here panics, allocates through the global allocator, or waits for anything but a short
//! lock when a stack or a thread is new. Pointers, sizes and alignments are the inner allocator's
//! own.

use core::alloc::{GlobalAlloc, Layout};
use std::alloc::System;

use crate::bridge;
use crate::trace::record::{allocated, forget_any, forget_common, reallocation_failed};

/// A global allocator that remembers where each live block was allocated, around another one.
///
/// It records nothing before tracing is started, by [`start`](crate::start) or by the environment
/// variable `TRACEMALLOC`, and then hands on every call unchanged.
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
    /// Traces what the system's allocator gives.
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
    /// Traces what `inner` gives.
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

// SAFETY: every call is handed on to `inner` with the arguments that came, and its result is
// returned as it is; what is recorded beside that reads only the address as a number.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Tracemalloc<A> {
    // What allocates is not inlined, so that walks start at a frame of our own in every build.
    // Optimised, `__rust_alloc` is a jump here, and no frame to walk to.
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is handed on.
        let block = unsafe { self.inner.alloc(layout) };
        allocated(block, layout.size(), Self::alloc as *const ());
        block
    }

    #[inline(never)]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is handed on.
        let block = unsafe { self.inner.alloc_zeroed(layout) };
        bridge::answer(block, layout);
        allocated(block, layout.size(), Self::alloc_zeroed as *const ());
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if forget_common(block.addr()).is_none() {
            // The last thing that is done here, so that the common case has no register to save for
            // it. SAFETY: the caller's promise is handed on.
            return unsafe { self.dealloc_any(block, layout) };
        }
        // SAFETY: the caller's promise is handed on.
        unsafe { self.inner.dealloc(block, layout) };
    }

    #[inline(never)]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let old = forget_common(block.addr()).or_else(|| forget_any(block));
        // SAFETY: the caller's promise is handed on.
        let new = unsafe { self.inner.realloc(block, layout, new_size) };
        if new.is_null() {
            reallocation_failed(block, old);
        } else {
            allocated(new, new_size, Self::realloc as *const ());
        }
        new
    }
}

impl<A: GlobalAlloc> Tracemalloc<A> {
    /// # Safety
    ///
    /// That of [`GlobalAlloc::dealloc`].
    #[inline(never)]
    unsafe fn dealloc_any(&self, block: *mut u8, layout: Layout) {
        forget_any(block);
        // SAFETY: the caller's promise is handed on.
        unsafe { self.inner.dealloc(block, layout) };
    }
}
