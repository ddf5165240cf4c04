//! The tracer's own memory: zeroed pages from the system, never from the global allocator.
//!
//! Readers hold no locks, so published memory is kept until the process ends. All reservations are
//! listed. The list tells how much of the tracer's memory is in use. A search of the heap leaves
//! listed memory out.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crate::os::mapping::{self, Sharing};
use crate::os::page_map::{PageMap, for_each_touched};
use crate::os::spare_memory;

/// One call of [`reserve`]; its size is 0 until it is written.
struct Reservation {
    address: AtomicUsize,
    size: AtomicUsize,
}

const PER_LIST: usize = 1 << 10;
const LISTS: usize = 1 << 12;

static LIST: [AtomicPtr<Reservation>; LISTS] = [const { AtomicPtr::new(ptr::null_mut()) }; LISTS];
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Reserves `size` zeroed bytes, aligned to a page on Unix and to 16 elsewhere. Pages that are
/// never touched cost address space only. `None` if the system refuses.
pub fn reserve(size: usize) -> Option<NonNull<u8>> {
    let memory = map_or_take(size, Sharing::Private)?;
    note(memory, size);
    Some(memory)
}

/// Maps memory, or takes it from the spare memory if the system refuses.
fn map_or_take(size: usize, sharing: Sharing) -> Option<NonNull<u8>> {
    mapping::map(size, sharing).or_else(|| spare_memory::take(size, sharing))
}

/// As [`reserve`], in whole pages that the process shares with its copies.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub fn reserve_shared(size: usize) -> Option<NonNull<u8>> {
    let memory = map_or_take(size, Sharing::Shared)?;
    note(memory, size);
    Some(memory)
}

/// Gives a reservation back.
///
/// # Safety
///
/// It came from [`reserve`] or [`reserve_shared`] with this size, and nothing refers to it any
/// more.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub unsafe fn release(memory: NonNull<u8>, size: usize) {
    // The list comes first: once the memory is unmapped, other code may get the address.
    for index in 0..COUNT.load(Ordering::Acquire) {
        let reservation = reservation(index).filter(|reservation| {
            reservation.address.load(Ordering::Relaxed) == memory.addr().get()
        });
        if let Some(reservation) = reservation {
            reservation.size.store(0, Ordering::Relaxed);
        }
    }
    // SAFETY: the caller's promise.
    unsafe {
        if !spare_memory::give_back(memory, size) {
            mapping::unmap(memory, size);
        }
    }
}

/// Address and size of each reservation.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub fn reservations() -> impl Iterator<Item = (usize, usize)> {
    let all = (0..COUNT.load(Ordering::Acquire)).filter_map(reservation);
    let all =
        all.map(|one| (one.size.load(Ordering::Acquire), one.address.load(Ordering::Relaxed)));
    all.filter(|(size, _)| *size > 0).map(|(size, address)| (address, size))
}

/// How many bytes of all reservations have been touched, in whole pages. If the system does not
/// tell, all of them.
pub fn in_use() -> u64 {
    let page_map = PageMap::open();
    let mut bytes = 0;
    for index in 0..COUNT.load(Ordering::Acquire) {
        let Some(reservation) = reservation(index) else { continue };
        let size = reservation.size.load(Ordering::Acquire);
        let address = reservation.address.load(Ordering::Relaxed);
        for_each_touched(page_map.as_ref(), address, size, &mut |_, touched| {
            bytes += touched as u64;
        });
    }
    bytes
}

/// Adds a reservation to the list, unless the list is full or gets no memory.
fn note(memory: NonNull<u8>, size: usize) {
    let index = COUNT.fetch_add(1, Ordering::AcqRel);
    let Some(list) = LIST.get(index / PER_LIST) else { return };
    if list.load(Ordering::Acquire).is_null() {
        let size = PER_LIST * size_of::<Reservation>();
        let Some(new) = map_or_take(size, Sharing::Private) else { return };
        // If two threads come here at once, one loses, and its list stays unused.
        let _ = list.compare_exchange(
            ptr::null_mut(),
            new.as_ptr().cast(),
            Ordering::AcqRel,
            Ordering::Acquire,
        );
    }
    let Some(reservation) = reservation(index) else { return };
    reservation.address.store(memory.addr().get(), Ordering::Relaxed);
    reservation.size.store(size, Ordering::Release);
}

fn reservation(index: usize) -> Option<&'static Reservation> {
    let list = NonNull::new(LIST.get(index / PER_LIST)?.load(Ordering::Acquire))?;
    // SAFETY: a list has PER_LIST entries, zeroed or written, and is never unmapped.
    Some(unsafe { list.add(index % PER_LIST).as_ref() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_touched_pages_are_in_use() {
        let size = 64 << 20;
        let before = in_use();
        let memory = reserve(size).expect("there is memory");
        let reserved = in_use() - before;
        // SAFETY: the memory is as large as that.
        unsafe { memory.add(size / 2).write(1) };
        let touched = in_use() - before;
        if cfg!(all(target_os = "linux", not(miri))) {
            assert!(reserved < 1 << 20, "{reserved}");
            assert!(touched > reserved && touched < 1 << 20, "{touched}");
        } else {
            assert!(touched >= size as u64);
        }
    }
}
