//! The tracing allocator, and what one allocation and one free do.
//!
//! An allocation:
//! 1. the inner allocator is asked; null is passed on, there is nothing to record;
//! 2. nothing more happens unless somebody wants it recorded and the thread is not paused;
//! 3. the stack is walked as far as it differs from the last one, and named;
//! 4. the block is noted in the shadow, and added to the thread's ledger.
//!
//! What nearly all allocations and frees have in common is code of its own (`record_common`,
//! `forget_common`), which gives up before anything is changed where something is not as usual.
//!
//! A free forgets the block *before* the inner allocator gets it back, or another thread could be
//! given the same address and lose its note. A reallocation forgets, asks, and notes the new block,
//! or the old one again where it failed.
//!
//! Nothing here panics, allocates through the global allocator, or waits for anything but a short
//! lock when a stack or a thread is new. Pointers, sizes and alignments are the inner allocator's
//! own.

use core::alloc::{GlobalAlloc, Layout};
use core::hint;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::alloc::System;

use crate::bridge;
use crate::trace::capture::{self, Here};
use crate::trace::environment;
use crate::trace::scope;
use crate::trace::shadow::{self, Block, Common};
use crate::trace::stack_id::StackId;
use crate::trace::thread::{self, Current};
use crate::trace::view;

/// Who wants allocations recorded: nobody, or some of [`FOR_HARNESS`], [`FOR_PROGRAM`] and
/// [`FOR_CHECKS`].
pub static TRACING: AtomicU8 = AtomicU8::new(UNDECIDED);
/// `cargo tracemalloc test` does.
pub const FOR_HARNESS: u8 = 1;
/// The program does, in its own view.
pub const FOR_PROGRAM: u8 = 2;
/// The first allocation has yet to look whether the environment asks for tracing.
pub const UNDECIDED: u8 = 4;
/// Checks do, those that are made in their scopes.
pub const FOR_CHECKS: u8 = 8;
/// Blocks that could not be recorded because the tracer had no memory for them.
pub static MISSED: AtomicU64 = AtomicU64::new(0);

/// A global allocator that remembers where each live block was allocated, around another one.
///
/// It records nothing before tracing is started, by [`start`](crate::start) or by the environment
/// variable `TRACEMALLOC`, and then hands on every call unchanged.
///
/// ```
/// use tracemalloc::Tracemalloc;
///
/// #[global_allocator]
/// static ALLOCATOR: Tracemalloc = Tracemalloc::system();
///
/// tracemalloc::start(1).unwrap();
/// let numbers = vec![1_u32, 2, 3];
/// assert_eq!(tracemalloc::get_traced_memory().0, 12);
/// # drop(numbers);
/// ```
#[derive(Debug, Default)]
pub struct Tracemalloc<A = System> {
    inner: A,
}

impl Tracemalloc<System> {
    /// Traces what the system's allocator gives.
    ///
    /// ```
    /// use tracemalloc::Tracemalloc;
    ///
    /// #[global_allocator]
    /// static ALLOCATOR: Tracemalloc = Tracemalloc::system();
    /// # fn main() {}
    /// ```
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

// SAFETY: every call is handed on to `inner` with the arguments that came, and its result is
// returned as it is; what is recorded beside that reads only the address as a number.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Tracemalloc<A> {
    // What allocates is not inlined, so that walks start at a frame of our own in every build.
    // Optimised, `__rust_alloc` is a jump here, and no frame to walk to.
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is handed on.
        let block = unsafe { self.inner.alloc(layout) };
        allocated(block, layout.size(), Self::alloc as *const ());
        block
    }

    #[inline(never)]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is handed on.
        let block = unsafe { self.inner.alloc_zeroed(layout) };
        bridge::answer(block, layout);
        allocated(block, layout.size(), Self::alloc_zeroed as *const ());
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if forget_common(block.addr()).is_none() {
            // The last thing that is done here, so that the common case has no register to save for
            // it. SAFETY: the caller's promise is handed on.
            return unsafe { self.dealloc_any(block, layout) };
        }
        // SAFETY: the caller's promise is handed on.
        unsafe { self.inner.dealloc(block, layout) };
    }

    #[inline(never)]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let old = forget_common(block.addr()).or_else(|| forget_any(block));
        // SAFETY: the caller's promise is handed on.
        let new = unsafe { self.inner.realloc(block, layout, new_size) };
        if new.is_null() {
            if let Some(old) = old
                && !note(block, old)
            {
                MISSED.fetch_add(1, Ordering::Relaxed);
            }
        } else {
            allocated(new, new_size, Self::realloc as *const ());
        }
        new
    }
}

impl<A: GlobalAlloc> Tracemalloc<A> {
    /// # Safety
    ///
    /// That of [`GlobalAlloc::dealloc`].
    #[inline(never)]
    unsafe fn dealloc_any(&self, block: *mut u8, layout: Layout) {
        forget_any(block);
        // SAFETY: the caller's promise is handed on.
        unsafe { self.inner.dealloc(block, layout) };
    }
}

/// Records a block that the function `root`, whose frame `here` is, has just allocated; null is
/// none.
#[inline(always)]
fn allocated(block: *mut u8, size: usize, root: *const ()) {
    match TRACING.load(Ordering::Relaxed) {
        FOR_HARNESS if record_common(block.addr(), size).is_some() => return,
        0 => {
            hint::cold_path();
            return;
        }
        _ => {}
    }
    // Not the last thing that is done in `root`, so that its frame is there while it is walked
    // from.
    if !block.is_null() && !record_any(block, size, Here::new(), root) {
        MISSED.fetch_add(1, Ordering::Relaxed);
    }
}

/// The common case by itself, which needs few instructions: only the harness traces, so no check
/// counts its peak; thread, stack and place are known, and the walk meets the last one. Otherwise
/// `None`, and nothing is changed.
#[inline(always)]
fn record_common(address: usize, size: usize) -> Option<()> {
    let thread = thread::running().filter(|thread| !thread.is_paused())?;
    let id = capture::stack_id_again(thread, Here::new())?;
    let place = Common::at(address)?;
    let account = thread.ledger.existing(id)?;
    place.insert(Block { id, size, in_view: false }).then(|| account.add(size as i64, 1))
}

/// False where there is no memory for it.
#[inline(never)]
fn record_any(block: *mut u8, size: usize, here: Here, root: *const ()) -> bool {
    let mut tracing = TRACING.load(Ordering::Relaxed);
    if tracing & UNDECIDED != 0 {
        tracing = environment::decided();
        if tracing == 0 {
            return true;
        }
    }
    match stack_of_caller(here, root, tracing) {
        Stack::None => true,
        Stack::Missed => false,
        Stack::Of(StackId::OURS) if tracing & FOR_HARNESS == 0 => true,
        Stack::Of(id) => note(
            block,
            Block { id, size, in_view: tracing & FOR_PROGRAM != 0 && id != StackId::OURS },
        ),
    }
}

/// Records a block that the program has told of. One that is known is replaced. False where there
/// was no memory for it.
#[inline(never)]
pub fn track(domain: u32, address: usize, size: usize, tracing: u8) -> bool {
    let tracked = match stack_of_caller(Here::new(), track as *const (), tracing) {
        Stack::None | Stack::Of(StackId::OURS) => true,
        Stack::Missed => false,
        Stack::Of(id) => {
            untrack(domain, address);
            let block = Block { id, size, in_view: tracing & FOR_PROGRAM != 0 };
            note_in(block, || shadow::insert_in(domain, address, block))
        }
    };
    if !tracked {
        MISSED.fetch_add(1, Ordering::Relaxed);
    }
    tracked
}

/// Forgets a block that the program has told of.
pub fn untrack(domain: u32, address: usize) {
    if let Some(known) = shadow::remove_from(domain, address) {
        forgotten(known);
    }
}

/// What a block is recorded under.
enum Stack {
    /// It is not to be recorded.
    None,
    /// There is no memory for it.
    Missed,
    /// That with this id.
    Of(StackId),
}

/// The stack that leads to `root`, whose frame `here` is, or that of all blocks of our own.
fn stack_of_caller(here: Here, root: *const (), tracing: u8) -> Stack {
    let only_scopes = tracing == FOR_CHECKS;
    let id = match thread::current() {
        Current::Running(thread) if thread.is_paused() => return Stack::Of(StackId::OURS),
        Current::Running(thread) if only_scopes && thread.scope() == 0 => return Stack::None,
        Current::Running(thread) => capture::stack_id(Some(thread), here, root),
        Current::Ended if only_scopes => return Stack::None,
        Current::Ended => capture::stack_id(None, here, root),
        Current::Starting => return Stack::None,
    };
    id.map_or(Stack::Missed, Stack::Of)
}

/// False where there is no memory for it.
fn note(address: *mut u8, block: Block) -> bool {
    note_in(block, || shadow::insert(address.addr(), block))
}

fn note_in(block: Block, insert: impl FnOnce() -> bool) -> bool {
    if !thread::add(block.id, block.size as i64, 1) {
        return false;
    }
    if !insert() {
        thread::add(block.id, -(block.size as i64), -1);
        return false;
    }
    if block.in_view {
        view::grew(block.size);
    }
    scope::count_bytes(block.id, block.size as i64);
    true
}

/// Forgets a block that is about to be freed, and returns what was known of it, in the common case,
/// as in [`record_common`].
#[inline(always)]
fn forget_common(address: usize) -> Option<Block> {
    // First, as it may be a call.
    let thread = thread::running()?;
    let place = Common::at(address).filter(|_| !scope::counts_peaks())?;
    let known = place.get()?;
    let account = thread.ledger.existing(known.id)?;
    place.clear();
    account.add(-(known.size as i64), -1);
    Some(known)
}

/// The same in any case.
#[inline(never)]
fn forget_any(block: *mut u8) -> Option<Block> {
    let known = shadow::remove(block.addr())?;
    forgotten(known);
    Some(known)
}

fn forgotten(known: Block) {
    if !thread::add(known.id, -(known.size as i64), -1) {
        MISSED.fetch_add(1, Ordering::Relaxed);
    }
    if known.in_view {
        view::shrank(known.size);
    }
    scope::count_bytes(known.id, -(known.size as i64));
}
