//! The source of the crate `tracemalloc-interposed`: the harness, and a tracing allocator in front
//! of the program's own.
//!
//! In the program, the allocator's four functions are weak. The functions below have the same names
//! and take their place. Each weak function also has a second name, which this crate calls.

pub use tracemalloc_harness::*;

use core::alloc::{GlobalAlloc, Layout};

use tracemalloc::Tracemalloc;

unsafe extern "Rust" {
    fn tracemalloc_real_alloc(size: usize, align: usize) -> *mut u8;
    fn tracemalloc_real_dealloc(block: *mut u8, size: usize, align: usize);
    fn tracemalloc_real_realloc(block: *mut u8, size: usize, align: usize, new_size: usize) -> *mut u8;
    fn tracemalloc_real_alloc_zeroed(size: usize, align: usize) -> *mut u8;
}

/// The program's own allocator.
struct Real;

// SAFETY: these are the functions of a global allocator under other names.
unsafe impl GlobalAlloc for Real {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller upholds the same contract.
        unsafe { tracemalloc_real_alloc(layout.size(), layout.align()) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller upholds the same contract.
        unsafe { tracemalloc_real_dealloc(block, layout.size(), layout.align()) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller upholds the same contract.
        unsafe { tracemalloc_real_realloc(block, layout.size(), layout.align(), new_size) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller upholds the same contract.
        unsafe { tracemalloc_real_alloc_zeroed(layout.size(), layout.align()) }
    }
}

static ALLOCATOR: Tracemalloc<Real> = Tracemalloc::new(Real);

/// A name that no other crate defines. Because of it, linkers take this object out of the library.
#[used]
#[unsafe(no_mangle)]
static TRACEMALLOC_INTERPOSED: u8 = 0;

#[unsafe(export_name = env!("TRACEMALLOC_SYMBOL_ALLOC"))]
unsafe extern "Rust" fn alloc(size: usize, align: usize) -> *mut u8 {
    // SAFETY: callers of the function with this name pass a valid layout.
    unsafe { ALLOCATOR.alloc(Layout::from_size_align_unchecked(size, align)) }
}

#[unsafe(export_name = env!("TRACEMALLOC_SYMBOL_DEALLOC"))]
unsafe extern "Rust" fn dealloc(block: *mut u8, size: usize, align: usize) {
    // SAFETY: as in `alloc`; the block comes from this allocator.
    unsafe { ALLOCATOR.dealloc(block, Layout::from_size_align_unchecked(size, align)) }
}

#[unsafe(export_name = env!("TRACEMALLOC_SYMBOL_REALLOC"))]
unsafe extern "Rust" fn realloc(block: *mut u8, size: usize, align: usize, new_size: usize) -> *mut u8 {
    // SAFETY: as in `dealloc`.
    unsafe { ALLOCATOR.realloc(block, Layout::from_size_align_unchecked(size, align), new_size) }
}

#[unsafe(export_name = env!("TRACEMALLOC_SYMBOL_ALLOC_ZEROED"))]
unsafe extern "Rust" fn alloc_zeroed(size: usize, align: usize) -> *mut u8 {
    // SAFETY: as in `alloc`.
    unsafe { ALLOCATOR.alloc_zeroed(Layout::from_size_align_unchecked(size, align)) }
}
