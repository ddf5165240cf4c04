//! The tracer's own memory: zeroed pages straight from the system, never through the global allocator.
//!
//! What is taken here is kept until the process ends: readers hold no locks, so nothing that was once published may go.

use core::ptr::NonNull;

/// Zeroed memory of `size` bytes, aligned to a page at least on Unix and to 16 elsewhere. Pages that are never touched
/// cost address space only. `None` where the system refuses.
pub fn reserve(size: usize) -> Option<NonNull<u8>> {
    #[cfg(unix)]
    {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let lazily = libc::MAP_NORESERVE;
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let lazily = 0;
        // SAFETY: an anonymous mapping at an address of the kernel's choice touches no memory that exists.
        let address = unsafe {
            libc::mmap(
                core::ptr::null_mut(),
                size,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | lazily,
                -1,
                0,
            )
        };
        if address == libc::MAP_FAILED { None } else { NonNull::new(address.cast()) }
    }
    #[cfg(not(unix))]
    {
        use std::alloc::{GlobalAlloc, Layout, System};
        let layout = Layout::from_size_align(size, 16).ok().filter(|layout| layout.size() > 0)?;
        // SAFETY: the layout's size is not zero.
        NonNull::new(unsafe { System.alloc_zeroed(layout) })
    }
}
