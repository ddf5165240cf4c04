//! How code finds out whether the global allocator of this program is a tracing one, whoever installed it.
//!
//! It asks for zeroed memory of a layout that nobody else asks for. A tracing allocator recognises it and writes the
//! address of its own [`Table`] there; any other returns zeroes. A layout is compared where memory has to be zeroed
//! anyway, so the hot path pays nothing.

use core::alloc::Layout;
use core::ptr;

/// 56 bytes on a boundary of 32 KiB.
const LAYOUT: Layout = match Layout::from_size_align(56, 1 << 15) {
    Ok(layout) => layout,
    Err(_) => panic!("the alignment is a power of two"),
};

/// What a tracing runtime shows of itself.
#[derive(Debug)]
#[repr(C)]
pub struct Table {
    /// Not zero, so that two tables have two addresses.
    _magic: u64,
}

static TABLE: Table = Table { _magic: u64::from_ne_bytes(*b"tracemal") };

/// Answers the question, where an allocation is one. `block` is zeroed memory of this layout, or null.
#[inline(always)]
pub fn answer(block: *mut u8, layout: Layout) {
    if layout == LAYOUT && !block.is_null() {
        // SAFETY: the block is at least as large and as aligned as a pointer, and nobody else has seen it yet.
        unsafe { block.cast::<*const Table>().write(&raw const TABLE) };
    }
}

/// Whether this copy of the runtime is, inside some [`Tracemalloc`](crate::Tracemalloc), the program's global allocator.
pub fn is_installed() -> bool {
    // SAFETY: the layout's size is not zero; the block is freed with the layout that it was asked for with. It is read
    // as the pointer that may be in it, for which it is large and aligned enough, and zeroes are a null pointer. The
    // optimiser knows that fresh memory is zero, so it must not see where this memory comes from.
    unsafe {
        let block = std::hint::black_box(std::alloc::alloc_zeroed(LAYOUT));
        if block.is_null() {
            return false;
        }
        let found = block.cast::<*const Table>().read_volatile();
        std::alloc::dealloc(block, LAYOUT);
        ptr::eq(found, &raw const TABLE)
    }
}
