//! Memory that is set aside while the system still gives some.
//!
//! A test may lower the limits on its process's memory, or refuse the system calls that map more.
//! The runtime then takes its memory from here. Only the harness sets memory aside. Pages that are
//! never touched cost address space only.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};

use crate::os::mapping::{self, Sharing};
use crate::os::page_map::page_size;

/// The size for this process alone.
const PRIVATE_SIZE: usize = 32 << 20;
/// The size for this process and its copies. A search needs about 8 MiB.
pub const SHARED_SIZE: usize = 16 << 20;

/// One piece of memory, used from its start.
#[derive(Debug)]
struct Spare {
    /// 0 where there is none.
    start: AtomicUsize,
    size: usize,
    used: AtomicUsize,
}

static PRIVATE: Spare = Spare::new(PRIVATE_SIZE);
static SHARED: Spare = Spare::new(SHARED_SIZE);

/// Sets memory aside, once.
pub fn set_aside() {
    for sharing in [Sharing::Private, Sharing::Shared] {
        let spare = spare(sharing);
        if spare.start.load(Ordering::Relaxed) != 0 {
            continue;
        }
        if let Some(memory) = mapping::map(spare.size, sharing) {
            spare.start.store(memory.as_ptr().expose_provenance(), Ordering::Release);
        }
    }
}

/// Takes `size` zeroed bytes, aligned to a page. `None` if there is no room.
pub fn take(size: usize, sharing: Sharing) -> Option<NonNull<u8>> {
    spare(sharing).take(size)
}

/// Gives memory back. False if it was not taken from here.
///
/// # Safety
///
/// If it was, it was taken with this size, and nothing refers to it any more.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub unsafe fn give_back(memory: NonNull<u8>, size: usize) -> bool {
    let mut both = [Sharing::Private, Sharing::Shared].into_iter();
    // SAFETY: the caller's promise.
    both.any(|sharing| unsafe { spare(sharing).give_back(memory, size) })
}

fn spare(sharing: Sharing) -> &'static Spare {
    match sharing {
        Sharing::Private => &PRIVATE,
        Sharing::Shared => &SHARED,
    }
}

impl Spare {
    const fn new(size: usize) -> Self {
        Self { start: AtomicUsize::new(0), size, used: AtomicUsize::new(0) }
    }

    fn take(&self, size: usize) -> Option<NonNull<u8>> {
        let start = self.start.load(Ordering::Acquire);
        if start == 0 {
            return None;
        }
        let pages = pages(size)?;
        let end = |used: usize| used.checked_add(pages).filter(|end| *end <= self.size);
        let place = self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, end).ok()?;
        NonNull::new(core::ptr::with_exposed_provenance_mut(start + place))
    }

    /// The last memory that was taken can be taken again. Other memory stays in use.
    #[cfg(any(
        test,
        all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))
    ))]
    unsafe fn give_back(&self, memory: NonNull<u8>, size: usize) -> bool {
        let start = self.start.load(Ordering::Acquire);
        let place = memory.addr().get().wrapping_sub(start);
        if start == 0 || place >= self.size {
            return false;
        }
        let end = place + pages(size).unwrap_or(0);
        if self.used.load(Ordering::Acquire) == end {
            // SAFETY: the caller has given up this memory, and nothing else uses it yet.
            unsafe { memory.write_bytes(0, size) };
            // If another thread has taken more by now, this memory stays in use.
            let _ = self.used.compare_exchange(end, place, Ordering::AcqRel, Ordering::Relaxed);
        }
        true
    }
}

/// A size in bytes, rounded up to whole pages.
fn pages(size: usize) -> Option<usize> {
    size.checked_next_multiple_of(page_size())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_zeroed_when_it_is_taken_again() {
        let spare = Spare::new(4 * page_size());
        assert_eq!(spare.take(1), None, "nothing was set aside");
        let memory = mapping::map(spare.size, Sharing::Private).expect("memory");
        spare.start.store(memory.as_ptr().expose_provenance(), Ordering::Relaxed);
        let first = spare.take(page_size() + 1).unwrap();
        assert_eq!(first, memory);
        let second = spare.take(2 * page_size()).unwrap();
        assert_eq!(second.addr().get() - first.addr().get(), 2 * page_size());
        assert_eq!(spare.take(1), None, "it is used up");
        // SAFETY: the memory is that large, and only this test has it.
        unsafe { second.write(7) };
        // SAFETY: as above.
        unsafe {
            assert!(spare.give_back(first, page_size() + 1));
            assert_eq!(spare.take(1), None, "the first is not the last");
            assert!(spare.give_back(second, 2 * page_size()));
            assert_eq!(spare.take(1), Some(second));
            assert_eq!(second.read(), 0);
            assert!(!spare.give_back(NonNull::dangling(), 1));
        }
    }
}
