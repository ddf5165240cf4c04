//! The calls of an inner allocator.
//!
//! Rust's allocator records its blocks itself, so what an inner allocator gets from C must not be
//! recorded again. `System` is C's allocator: its functions are called under their second names,
//! which trace nothing. Any other allocator is called [unseen].

use core::alloc::{GlobalAlloc, Layout};
use core::any::TypeId;
use std::alloc::System;

use crate::c_malloc::interposed::{C_LIBRARY, is_direct, unseen};

/// Calls [`GlobalAlloc::alloc`].
///
/// # Safety
///
/// That of the method; so below.
#[inline(always)]
pub unsafe fn alloc<A: GlobalAlloc + 'static>(inner: &A, layout: Layout) -> *mut u8 {
    // SAFETY: the caller's promise is handed on; so below.
    unsafe {
        if is_system::<A>() && is_direct() {
            return C_LIBRARY.alloc(layout);
        }
        unseen(|| inner.alloc(layout))
    }
}

/// Calls [`GlobalAlloc::alloc_zeroed`].
///
/// # Safety
///
/// That of the method.
#[inline(always)]
pub unsafe fn alloc_zeroed<A: GlobalAlloc + 'static>(inner: &A, layout: Layout) -> *mut u8 {
    // SAFETY: the caller's promise is handed on.
    unsafe {
        if is_system::<A>() && is_direct() {
            return C_LIBRARY.alloc_zeroed(layout);
        }
        unseen(|| inner.alloc_zeroed(layout))
    }
}

/// Calls [`GlobalAlloc::dealloc`].
///
/// # Safety
///
/// That of the method. All blocks of `System` are `malloc`'s, whichever name it was called by.
#[inline(always)]
pub unsafe fn dealloc<A: GlobalAlloc + 'static>(inner: &A, block: *mut u8, layout: Layout) {
    // SAFETY: the caller's promise is handed on.
    unsafe {
        if is_system::<A>() && is_direct() {
            return C_LIBRARY.dealloc(block, layout);
        }
        unseen(|| inner.dealloc(block, layout));
    }
}

/// Calls [`GlobalAlloc::realloc`].
///
/// # Safety
///
/// That of the method.
#[inline(always)]
pub unsafe fn realloc<A: GlobalAlloc + 'static>(
    inner: &A,
    block: *mut u8,
    layout: Layout,
    new_size: usize,
) -> *mut u8 {
    // SAFETY: the caller's promise is handed on.
    unsafe {
        if is_system::<A>() && is_direct() {
            return C_LIBRARY.realloc(block, layout, new_size);
        }
        unseen(|| inner.realloc(block, layout, new_size))
    }
}

/// Whether an allocator is std's `System`. The compiler knows the answer.
#[inline(always)]
fn is_system<A: 'static>() -> bool {
    TypeId::of::<A>() == TypeId::of::<System>()
}
