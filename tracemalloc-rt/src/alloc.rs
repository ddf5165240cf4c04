//! The tracing allocator, and what one allocation and one free do.
//!
//! An allocation:
//! 1. the inner allocator is asked; null is passed on, there is nothing to record;
//! 2. nothing more happens unless tracing is on and the thread is not paused;
//! 3. the stack is walked and hashed, and named by the thread's cache or the shared table;
//! 4. the block is noted in the shadow, and added to the thread's ledger.
//!
//! A free forgets the block *before* the inner allocator gets it back, or another thread could be given the same address
//! and lose its note. A reallocation forgets, asks, and notes the new block, or the old one again where it failed.
//!
//! Nothing here panics, allocates through the global allocator, or waits for anything but a short lock when a stack or
//! a thread is new. Pointers, sizes and alignments are the inner allocator's own.

use core::alloc::{GlobalAlloc, Layout};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::alloc::System;

use crate::capture::Captured;
use crate::handshake;
use crate::shadow::{self, Block};
use crate::stacks::StackId;
use crate::thread::{self, Current};

/// Whether allocations are recorded.
pub static TRACING: AtomicBool = AtomicBool::new(false);
/// Blocks that could not be recorded because the tracer had no memory for them.
pub static MISSED: AtomicU64 = AtomicU64::new(0);

/// A global allocator that remembers where each live block was allocated, around another one.
///
/// It records nothing before tracing is started, and then hands on every call unchanged.
///
/// ```
/// use tracemalloc::Tracemalloc;
///
/// #[global_allocator]
/// static ALLOCATOR: Tracemalloc = Tracemalloc::system();
///
/// assert_eq!(vec![1, 2, 3].len(), 3);
/// ```
#[derive(Debug, Default)]
pub struct Tracemalloc<A = System> {
    inner: A,
}

impl Tracemalloc<System> {
    /// Traces what the system's allocator gives.
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

// SAFETY: every call is handed on to `inner` with the arguments that came, and its result is returned as it is; what is
// recorded beside that reads only the address as a number.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Tracemalloc<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is handed on.
        let block = unsafe { self.inner.alloc(layout) };
        allocated(block, layout.size());
        block
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is handed on.
        let block = unsafe { self.inner.alloc_zeroed(layout) };
        handshake::answer(block, layout);
        allocated(block, layout.size());
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        forget(block);
        // SAFETY: the caller's promise is handed on.
        unsafe { self.inner.dealloc(block, layout) };
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let old = forget(block);
        // SAFETY: the caller's promise is handed on.
        let new = unsafe { self.inner.realloc(block, layout, new_size) };
        if new.is_null() {
            if let Some(old) = old {
                note(block, old);
            }
        } else {
            allocated(new, new_size);
        }
        new
    }
}

/// Records a block that was just allocated; null is none.
#[inline(always)]
fn allocated(block: *mut u8, size: usize) {
    if block.is_null() || !TRACING.load(Ordering::Relaxed) {
        return;
    }
    record(block, size);
}

/// Not inlined, so that the walk starts at a frame of our own in every build.
#[inline(never)]
fn record(block: *mut u8, size: usize) {
    let Some(id) = stack_of_caller() else { return };
    note(block, Block { id, size });
}

/// The id of the stack that leads here; `None` where nothing is to be recorded, or the stack could not be kept.
#[inline(always)]
fn stack_of_caller() -> Option<StackId> {
    match thread::current() {
        Current::Running(thread) if thread.is_paused() => None,
        Current::Running(thread) => {
            let captured = Captured::here();
            missed_if_none(thread.intern(captured.hash(), captured.addresses()))
        }
        Current::Ended => {
            let captured = Captured::here();
            missed_if_none(crate::stacks::intern(captured.hash(), captured.addresses()))
        }
        Current::Starting => None,
    }
}

#[inline(always)]
fn missed_if_none(id: Option<StackId>) -> Option<StackId> {
    if id.is_none() {
        MISSED.fetch_add(1, Ordering::Relaxed);
    }
    id
}

#[inline(always)]
fn note(address: *mut u8, block: Block) {
    if !thread::add(block.id, block.size as i64, 1) {
        MISSED.fetch_add(1, Ordering::Relaxed);
    } else if !shadow::insert(address.addr(), block) {
        MISSED.fetch_add(1, Ordering::Relaxed);
        thread::add(block.id, -(block.size as i64), -1);
    }
}

/// Forgets a block that is about to be freed, and returns what was known of it.
#[inline(always)]
fn forget(block: *mut u8) -> Option<Block> {
    let known = shadow::remove(block.addr())?;
    if !thread::add(known.id, -(known.size as i64), -1) {
        MISSED.fetch_add(1, Ordering::Relaxed);
    }
    Some(known)
}
