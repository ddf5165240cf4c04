//! The list of stacks that threads ran on, ended ones too.
//!
//! The C library keeps the stacks of ended threads for the next ones, with all that was on them. A
//! search of the heap reads this list to know them.

use core::ptr;
use core::sync::atomic::{AtomicI32, AtomicPtr, AtomicUsize, Ordering};

use crate::os::memory;
use crate::os::thread_id::thread_id;

const STACKS: usize = 126;

/// A stack that a thread ran on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadStack {
    /// Its lowest address.
    pub low: usize,
    /// One past its highest.
    pub high: usize,
    /// Where the thread-local storage of its last thread lay.
    pub thread_pointer: usize,
    /// The number of that thread.
    pub thread: i32,
}

/// As it is noted; a `high` of 0 is none.
#[repr(C)]
struct Note {
    low: AtomicUsize,
    high: AtomicUsize,
    thread_pointer: AtomicUsize,
    thread: AtomicI32,
}

/// Some stacks, and the page with earlier ones.
#[repr(C)]
struct Page {
    earlier: AtomicPtr<Page>,
    used: AtomicUsize,
    notes: [Note; STACKS],
}

static LAST: AtomicPtr<Page> = AtomicPtr::new(ptr::null_mut());

/// Notes the current thread's stack, addresses from and to; both 0 where it is not known.
pub fn note((low, high): (usize, usize)) {
    let Some(thread_pointer) = current_pointer().filter(|_| high > low) else { return };
    if let Some(note) = notes().find(|note| note.low.load(Ordering::Relaxed) == low) {
        note.write(low, high, thread_pointer);
        return;
    }
    loop {
        let page = LAST.load(Ordering::Acquire);
        // SAFETY: a published page is never unmapped.
        if let Some(found) = unsafe { page.as_ref() } {
            let place = found.used.fetch_add(1, Ordering::Relaxed);
            if let Some(note) = found.notes.get(place) {
                note.write(low, high, thread_pointer);
                return;
            }
        }
        let Some(new) = memory::reserve(size_of::<Page>()) else { return };
        let new = new.cast::<Page>();
        // SAFETY: zeroed memory is a valid page.
        unsafe { new.as_ref() }.earlier.store(page, Ordering::Relaxed);
        // Of two threads that come here at once one loses; its page stays empty.
        let _ = LAST.compare_exchange(page, new.as_ptr(), Ordering::AcqRel, Ordering::Acquire);
    }
}

/// All that were noted.
pub fn all() -> impl Iterator<Item = ThreadStack> {
    let all = notes().map(|note| ThreadStack {
        high: note.high.load(Ordering::Acquire),
        low: note.low.load(Ordering::Relaxed),
        thread_pointer: note.thread_pointer.load(Ordering::Relaxed),
        thread: note.thread.load(Ordering::Relaxed),
    });
    all.filter(|stack| stack.high > 0)
}

/// The stack of the thread whose thread-local storage lies there.
pub fn of(thread_pointer: usize) -> Option<ThreadStack> {
    all().find(|stack| stack.thread_pointer == thread_pointer)
}

impl Note {
    fn write(&self, low: usize, high: usize, thread_pointer: usize) {
        self.low.store(low, Ordering::Relaxed);
        self.thread_pointer.store(thread_pointer, Ordering::Relaxed);
        self.thread.store(thread_id(), Ordering::Relaxed);
        self.high.store(high, Ordering::Release);
    }
}

/// Where the thread-local storage of the current thread lies.
#[inline(always)]
pub fn current_pointer() -> Option<usize> {
    #[cfg(all(target_arch = "x86_64", target_os = "linux", not(miri)))]
    {
        let pointer: usize;
        // SAFETY: the first word there is the address itself, as the ABI for thread-local storage
        // has it.
        unsafe {
            core::arch::asm!(
                "mov {}, fs:[0]", out(reg) pointer,
                options(nostack, readonly, preserves_flags)
            )
        };
        Some(pointer)
    }
    #[cfg(all(target_arch = "aarch64", target_os = "linux", not(miri)))]
    {
        let pointer: usize;
        // SAFETY: copies a register.
        unsafe {
            core::arch::asm!(
                "mrs {}, tpidr_el0", out(reg) pointer,
                options(nomem, nostack, preserves_flags)
            )
        };
        Some(pointer)
    }
    #[cfg(miri)]
    None
}

fn notes() -> impl Iterator<Item = &'static Note> {
    let mut next = LAST.load(Ordering::Acquire);
    core::iter::from_fn(move || {
        // SAFETY: a published page is never unmapped.
        let page: &'static Page = unsafe { next.as_ref() }?;
        next = page.earlier.load(Ordering::Acquire);
        Some(page)
    })
    .flat_map(|page| &page.notes)
}
