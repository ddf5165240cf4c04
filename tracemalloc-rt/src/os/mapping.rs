//! Anonymous memory from the system.

use core::ptr::{self, NonNull};

/// The users of a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// This process. Copies of it have the memory as it was when they were made.
    Private,
    /// This process and its copies.
    Shared,
}

/// Maps zeroed memory.
#[cfg(all(unix, not(miri)))]
pub fn map(size: usize, sharing: Sharing) -> Option<NonNull<u8>> {
    let sharing = match sharing {
        Sharing::Private => libc::MAP_PRIVATE,
        Sharing::Shared => libc::MAP_SHARED,
    };
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let lazily = libc::MAP_NORESERVE;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let lazily = 0;
    // SAFETY: an anonymous mapping at an address of the kernel's choice touches no memory that
    // exists.
    let address = unsafe {
        libc::mmap(
            ptr::null_mut(),
            size,
            libc::PROT_READ | libc::PROT_WRITE,
            sharing | libc::MAP_ANONYMOUS | lazily,
            -1,
            0,
        )
    };
    if address == libc::MAP_FAILED { None } else { NonNull::new(address.cast()) }
}

/// Unmaps memory.
///
/// # Safety
///
/// It came from [`map`] with this size, and nothing refers to it any more.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
pub unsafe fn unmap(memory: NonNull<u8>, size: usize) {
    // SAFETY: the caller's promise.
    unsafe { libc::munmap(memory.as_ptr().cast(), size) };
}

/// Maps zeroed memory.
#[cfg(any(not(unix), miri))]
pub fn map(size: usize, _sharing: Sharing) -> Option<NonNull<u8>> {
    use std::alloc::{GlobalAlloc, Layout, System};
    let layout = Layout::from_size_align(size, 16).ok().filter(|layout| layout.size() > 0)?;
    // SAFETY: the layout's size is not zero.
    NonNull::new(unsafe { System.alloc_zeroed(layout) })
}

/// Unmaps memory.
///
/// # Safety
///
/// It came from [`map`] with this size, and nothing refers to it any more.
#[cfg(all(miri, target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub unsafe fn unmap(memory: NonNull<u8>, size: usize) {
    use std::alloc::{GlobalAlloc, Layout, System};
    if let Ok(layout) = Layout::from_size_align(size, 16) {
        // SAFETY: the caller's promise; `map` has allocated this layout.
        unsafe { System.dealloc(memory.as_ptr(), layout) };
    }
}
