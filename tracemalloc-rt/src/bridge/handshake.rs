//! The handshake by which code finds the tracing runtime of its program.
//!
//! One program may have two copies of this crate: the injected one, and one that the program itself
//! names. Only one of them is in the global allocator. The other allocates zeroed memory of a
//! layout that no other code asks for. A tracing allocator recognises the layout and writes the
//! address of its own [`Table`] there; any other returns zeroes. The layout is compared only where
//! memory has to be zeroed anyway, so the fast path pays nothing.

use core::alloc::Layout;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::bridge::table::{FORM, MAGIC, TABLE, Table};
use crate::error::Error;
use crate::model::domain::Domain;
use crate::trace::stack_id::StackId;

/// 56 bytes on a boundary of 32 KiB.
const LAYOUT: Layout = match Layout::from_size_align(56, 1 << 15) {
    Ok(layout) => layout,
    Err(_) => panic!("the alignment is a power of two"),
};

/// The return addresses of a stack of the installed runtime, innermost first.
pub fn addresses(stack: StackId) -> Vec<usize> {
    installed().map_or_else(|_| Vec::new(), |table| table.addresses(stack.0).0)
}

/// The language that allocates the blocks of a stack of the installed runtime.
pub fn domain(stack: StackId) -> Domain {
    Domain::numbered(installed().map_or(0, |table| (table.domain)(stack.0)))
}

/// Answers the question, if an allocation is one: if it has the layout that no other code asks for.
/// `block` is zeroed memory of this layout, or null.
#[inline(always)]
pub fn answer(block: *mut u8, layout: Layout) {
    if layout == LAYOUT && !block.is_null() {
        // SAFETY: the block is at least as large and as aligned as a pointer, and the allocator has
        // not handed it out yet.
        unsafe { block.cast::<*const Table>().write(&raw const TABLE) };
    }
}

/// Whether the program's global allocator traces: whether it contains a copy of this crate that
/// this one understands, inside a [`Tracemalloc`](crate::Tracemalloc). Under `cargo tracemalloc`,
/// that is the injected copy.
///
/// Not in Python.
///
/// ```
/// use tracemalloc::Tracemalloc;
///
/// #[global_allocator]
/// static ALLOCATOR: Tracemalloc = Tracemalloc::system();
///
/// assert!(tracemalloc::is_installed());
/// ```
pub fn is_installed() -> bool {
    installed().is_ok()
}

/// Whether the program's global allocator contains this copy.
pub fn is_this_copy_installed() -> bool {
    ptr::eq(ask(), &raw const TABLE)
}

/// The table of the runtime that is in this program's global allocator.
pub fn installed() -> Result<&'static Table, Error> {
    /// Null before the first call; then the table, or [`NONE`].
    static KNOWN: AtomicPtr<Table> = AtomicPtr::new(ptr::null_mut());
    const NONE: *mut Table = ptr::without_provenance_mut(1);
    let mut known = KNOWN.load(Ordering::Acquire);
    if known.is_null() {
        let found = ask().cast_mut();
        known = if found.is_null() { NONE } else { found };
        KNOWN.store(known, Ordering::Release);
    }
    if known == NONE {
        return Err(Error::NotInstalled);
    }
    // SAFETY: a tracing allocator answers with the address of its own table, which is a static and
    // begins with these fields.
    let table = unsafe { &*known };
    if table.magic != MAGIC || table.form != FORM {
        // SAFETY: the fields up to here are those of every form.
        let version =
            unsafe { core::slice::from_raw_parts(table.version, table.version_len as usize) };
        return Err(Error::OtherVersion {
            installed: String::from_utf8_lossy(version).into_owned(),
        });
    }
    Ok(table)
}

/// Asks the global allocator. Null where it does not trace.
fn ask() -> *const Table {
    // SAFETY: the layout's size is not zero; the block is freed with the layout of its allocation.
    // It is read as the pointer that may be in it, for which it is large and aligned enough, and
    // zeroes are a null pointer. The optimiser knows that fresh memory is zero, so it must not see
    // where this memory comes from.
    unsafe {
        let block = std::hint::black_box(std::alloc::alloc_zeroed(LAYOUT));
        if block.is_null() {
            return ptr::null();
        }
        let found = block.cast::<*const Table>().read_volatile();
        std::alloc::dealloc(block, LAYOUT);
        found
    }
}
