//! The tracer's state of each thread: its walker, its ledger, and its part of the view.
//!
//! A [`Thread`] outlives its thread, and is then handed to the next new thread, with its ledger.
//! Only the sum over all ledgers counts, so nothing has to be merged or cleared. There are as many
//! as threads ever ran at the same time.

use core::cell::Cell;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use crate::os::memory;
use crate::os::spin_lock::SpinLock;
use crate::trace::capture::{Here, Walker};
use crate::trace::contexts;
use crate::trace::ledger::{Balance, Ledger};
use crate::trace::sampling::Sampler;
use crate::trace::scope_table;
use crate::trace::stack_id::StackId;
use crate::trace::thread_stacks;
use crate::trace::view::{self, Part};

/// The tracer's state of one running thread.
#[repr(C)]
pub struct Thread {
    endings: Cell<u32>,
    /// The scope that has counted the thread, or 0.
    handed: Cell<u32>,
    next: AtomicPtr<Thread>,
    next_free: Cell<*mut Thread>,
    pub view: Part,
    pub sampler: Sampler,
    pub walker: Walker,
    pub ledger: Ledger,
}

/// How far the current thread is in its life.
#[derive(Clone, Copy)]
pub enum Current {
    /// It has its own state.
    Running(&'static Thread),
    /// It has given its state back. Code that still runs on it uses a ledger that all such threads
    /// share.
    Ended,
    /// It is being registered. Blocks that are allocated meanwhile are the tracer's.
    Starting,
}

/// Tags of [`CURRENT`] that are no pointers.
const STARTING: *mut Thread = ptr::without_provenance_mut(1);
const ENDED: *mut Thread = ptr::without_provenance_mut(2);

// Native thread-locals need no memory. On other systems each is a block, which std before Rust 1.93
// takes from the global allocator: to read one here would never end. `char::MAX_LEN_UTF8` came with
// Rust 1.93, so older versions stop here with an error.
#[cfg(not(any(
    all(target_os = "linux", not(any(target_env = "ohos", target_abi = "x32"))),
    all(windows, target_env = "msvc", not(target_vendor = "win7")),
    target_vendor = "apple",
    target_os = "dragonfly",
    target_os = "freebsd",
    target_os = "netbsd",
)))]
const _NO_NATIVE_THREAD_LOCALS_BEFORE_RUST_1_93: usize = char::MAX_LEN_UTF8;

thread_local! {
    // From Rust 1.93 on, the documentation of `GlobalAlloc` guarantees that thread-locals do not
    // use the global allocator. Native ones that are constant and have no `Drop`, as these, work
    // until the thread's last instruction. On other systems std keeps each in a block of the
    // system's allocator, and frees it while the thread ends. Then it cannot be reached, and the
    // thread counts as ended.
    static CURRENT: Cell<*mut Thread> = const { Cell::new(ptr::null_mut()) };
    static STACK: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// The pointer or tag of [`CURRENT`].
#[inline(always)]
fn tag() -> *mut Thread {
    CURRENT.try_with(Cell::get).unwrap_or(ENDED)
}

fn set_tag(tag: *mut Thread) {
    // If it cannot be reached, it cannot be read either.
    let _unreachable = CURRENT.try_with(|current| current.set(tag));
}

/// All states that were ever made, as a list.
static ALL: AtomicPtr<Thread> = AtomicPtr::new(ptr::null_mut());
/// The states whose thread has ended.
static FREE: SpinLock<FreeList> = SpinLock::new(FreeList(ptr::null_mut()));
/// The scope that new threads begin in, or 0.
static FIRST_SCOPE: AtomicU32 = AtomicU32::new(0);
/// The ledger of threads that have given their own back.
static ENDED_LEDGER: Ledger = Ledger::new();

struct FreeList(*mut Thread);

// SAFETY: no thread uses a state in the list, and the list is reached under its lock only.
unsafe impl Send for FreeList {}

/// The current thread, registered on its first call.
#[inline(always)]
pub fn current() -> Current {
    match running() {
        Some(thread) => Current::Running(thread),
        None => start(tag()),
    }
}

/// The state of the current thread, if it is registered.
#[inline(always)]
pub fn running() -> Option<&'static Thread> {
    let thread = tag();
    // SAFETY: a pointer in CURRENT is to a `Thread` that is never unmapped and that this thread
    // alone owns.
    (thread.addr() > ENDED.addr()).then(|| unsafe { &*thread })
}

/// Adds to an account of the current thread. False if there is no memory for the account.
#[inline(always)]
pub fn add(id: StackId, bytes: i64, blocks: i64) -> bool {
    match current() {
        Current::Running(thread) => thread.ledger.add(id, bytes, blocks),
        Current::Ended | Current::Starting => ENDED_LEDGER.add_shared(id, bytes, blocks),
    }
}

/// Counts a block that the current thread has added to the view, and the bytes that it stands for
/// beyond its own.
#[inline(always)]
pub fn grew_view(size: usize, extra: usize) {
    match current() {
        Current::Running(thread) => {
            thread.view.keep_level();
            thread.view.grew(size);
            thread.view.add_extra(extra as i64);
        }
        Current::Ended | Current::Starting => view::changed_by_ended_thread(size as i64),
    }
}

/// Counts blocks that the current thread has taken out of the view, as [`grew_view`].
#[inline(always)]
pub fn shrank_view(size: usize, extra: usize) {
    match current() {
        Current::Running(thread) => {
            thread.view.shrank(size);
            thread.view.add_extra(-(extra as i64));
        }
        Current::Ended | Current::Starting => view::changed_by_ended_thread(-(size as i64)),
    }
}

/// The current thread's stack: its lowest address, and one past its highest. Both are 0 if they are
/// not known.
#[inline(always)]
pub fn stack_bounds() -> (usize, usize) {
    STACK.try_with(Cell::get).unwrap_or((0, 0))
}

/// The live blocks of one stack: the sum over all threads that ever ran.
pub fn total(id: StackId) -> Balance {
    let mut total = ENDED_LEDGER.balance(id);
    let mut next = ALL.load(Ordering::Acquire);
    // SAFETY: as in `totals`.
    while let Some(thread) = unsafe { next.as_ref() } {
        let balance = thread.ledger.balance(id);
        total.bytes += balance.bytes;
        total.blocks += balance.blocks;
        next = thread.next.load(Ordering::Acquire);
    }
    total
}

/// The scope that allocations of the current thread belong to, or 0.
pub fn scope() -> u32 {
    match current() {
        Current::Running(thread) => thread.walker.scope(),
        Current::Ended | Current::Starting => 0,
    }
}

/// Moves allocations of the current thread to another scope, or to none (0). Returns the one
/// before.
pub fn enter_scope(number: u32) -> u32 {
    match current() {
        Current::Running(thread) => thread.walker.enter_scope(number),
        Current::Ended | Current::Starting => 0,
    }
}

/// Lets new threads allocate in this scope.
pub fn begin_in_scope(number: u32) {
    FIRST_SCOPE.store(number, Ordering::Relaxed);
}

/// Lets the current thread, which has just begun, allocate in the scope that it was started in. The
/// scope has counted it already.
pub fn hand_down(number: u32) {
    match current() {
        Current::Running(thread) => {
            thread.handed.set(number);
            thread.walker.enter_scope(number);
        }
        Current::Ended | Current::Starting => scope_table::count_thread(number, false),
    }
}

/// The live blocks of each stack, by id: the sum over all threads that ever ran.
pub fn totals() -> Vec<Balance> {
    let mut totals = vec![Balance::default(); contexts::last() as usize + 1];
    ENDED_LEDGER.sum_into(&mut totals);
    let mut next = ALL.load(Ordering::Acquire);
    // SAFETY: pointers in the list are to `Thread`s that are never unmapped; of these only atomics
    // are read.
    while let Some(thread) = unsafe { next.as_ref() } {
        thread.ledger.sum_into(&mut totals);
        next = thread.next.load(Ordering::Acquire);
    }
    totals
}

/// While this lives, allocations of the thread that made it do not count. Frees do: a traced block
/// that is freed meanwhile is forgotten.
#[derive(Debug)]
pub struct Pause {
    not_send: core::marker::PhantomData<*const ()>,
}

/// Leaves out what the current thread allocates, until the value is dropped. Pauses nest.
pub fn pause() -> Pause {
    begin_pause();
    Pause { not_send: core::marker::PhantomData }
}

impl Drop for Pause {
    fn drop(&mut self) {
        end_pause();
    }
}

/// Begins a pause without a value. [`end_pause`] ends it.
pub fn begin_pause() {
    if let Current::Running(thread) = current() {
        thread.walker.pause();
    }
}

pub fn end_pause() {
    if let Current::Running(thread) = current() {
        thread.walker.resume();
    }
}

/// Does some work of the program while the current thread has one pause.
pub fn without_pause<R>(work: impl FnOnce() -> R) -> R {
    end_pause();
    let result = work();
    begin_pause();
    result
}

/// While this lives, walks of the thread that made it end at the function that made it.
#[derive(Debug)]
pub struct Outermost {
    not_send: core::marker::PhantomData<*const ()>,
}

impl Outermost {
    /// Lets walks end at the function that this is inlined into. Frames outside of it tell nothing,
    /// and are then not compared for every block.
    #[inline(always)]
    pub fn here() -> Self {
        if let Current::Running(thread) = current() {
            let (low, high) = stack_bounds();
            let outside = Here::without_address().outside_of_frame();
            if let Some(outside) = outside.filter(|outside| (low..high).contains(outside)) {
                thread.walker.set_bounds((low, outside));
            }
        }
        Self { not_send: core::marker::PhantomData }
    }
}

impl Drop for Outermost {
    fn drop(&mut self) {
        if let Current::Running(thread) = current() {
            thread.walker.set_bounds(stack_bounds());
        }
    }
}

pub fn before_fork() {
    FREE.acquire();
}

pub fn after_fork() {
    FREE.release();
}

#[cold]
fn start(tag: *mut Thread) -> Current {
    if tag == STARTING {
        return Current::Starting;
    }
    if tag == ENDED {
        return Current::Ended;
    }
    set_tag(STARTING);
    let bounds = system::stack_bounds();
    let _unreachable = STACK.try_with(|stack| stack.set(bounds));
    thread_stacks::note(bounds);
    let Some(thread) = take_free().or_else(make) else {
        set_tag(ENDED);
        return Current::Ended;
    };
    thread.endings.set(0);
    thread.handed.set(0);
    thread.walker.reset(bounds);
    thread.walker.enter_scope(FIRST_SCOPE.load(Ordering::Relaxed));
    view::thread_begins();
    system::on_end(thread);
    set_tag(ptr::from_ref(thread).cast_mut());
    Current::Running(thread)
}

fn take_free() -> Option<&'static Thread> {
    let mut free = FREE.lock();
    // SAFETY: states in the list are never unmapped, and no thread uses them.
    let thread = unsafe { free.0.as_ref() }?;
    free.0 = thread.next_free.get();
    Some(thread)
}

fn make() -> Option<&'static Thread> {
    // SAFETY: zeroed memory is a valid `Thread`: null pointers, zero counters, nothing remembered.
    // No other code has seen it.
    let thread: &'static Thread =
        unsafe { memory::reserve(size_of::<Thread>())?.cast::<Thread>().as_ref() };
    thread.view.enlist();
    let mut head = ALL.load(Ordering::Acquire);
    loop {
        thread.next.store(head, Ordering::Relaxed);
        let new = ptr::from_ref(thread).cast_mut();
        match ALL.compare_exchange_weak(head, new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return Some(thread),
            Err(other) => head = other,
        }
    }
}

#[cfg(unix)]
mod system {
    //! The end of a thread, and the bounds of its stack, by POSIX threads.

    use super::{ENDED, FREE, Thread, scope_table, set_tag};
    use core::ffi::c_void;
    use core::sync::atomic::{AtomicU64, Ordering};
    use std::ptr;

    /// How often a destructor can be called; POSIX promises at least 4.
    const ROUNDS: u32 = 4;
    const UNSET: u64 = u64::MAX;

    static KEY: AtomicU64 = AtomicU64::new(UNSET);

    /// Lets the system call [`ended`] with the thread's state when the current thread ends.
    pub fn on_end(thread: &'static Thread) {
        let Some(key) = key() else { return };
        // SAFETY: the key was made by `pthread_key_create`.
        unsafe { libc::pthread_setspecific(key, ptr::from_ref(thread).cast()) };
    }

    fn key() -> Option<libc::pthread_key_t> {
        let known = KEY.load(Ordering::Acquire);
        if known != UNSET {
            return Some(known as libc::pthread_key_t);
        }
        let mut key: libc::pthread_key_t = 0;
        // SAFETY: `key` is a place to write to; `ended` takes what `on_end` has set.
        if unsafe { libc::pthread_key_create(&raw mut key, Some(ended)) } != 0 {
            return None;
        }
        // If two threads come here at once, one loses, and its key stays unused.
        match KEY.compare_exchange(UNSET, u64::from(key), Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Some(key),
            Err(other) => Some(other as libc::pthread_key_t),
        }
    }

    /// Gives the thread's state back. Other destructors may still allocate, so this one is set
    /// again until its last round.
    extern "C" fn ended(thread: *mut c_void) {
        // SAFETY: `on_end` has set a `&'static Thread` of the thread that is just ending.
        let thread: &'static Thread = unsafe { &*thread.cast::<Thread>() };
        thread.endings.set(thread.endings.get() + 1);
        if thread.endings.get() < ROUNDS {
            on_end(thread);
            return;
        }
        scope_table::count_thread(thread.handed.replace(0), false);
        set_tag(ENDED);
        thread.view.settle();
        let mut free = FREE.lock();
        thread.next_free.set(free.0);
        free.0 = ptr::from_ref(thread).cast_mut();
    }

    /// Its lowest address, and one past its highest; both 0 if the system does not tell.
    pub fn stack_bounds() -> (usize, usize) {
        #[cfg(all(
            any(
                target_os = "linux",
                target_os = "android",
                target_os = "freebsd",
                target_os = "netbsd"
            ),
            not(miri)
        ))]
        // SAFETY: the attributes are initialised by the first call before the others read them, and
        // destroyed after.
        unsafe {
            let mut attributes: libc::pthread_attr_t = core::mem::zeroed();
            #[cfg(any(target_os = "freebsd", target_os = "netbsd"))]
            let got = {
                libc::pthread_attr_init(&raw mut attributes);
                libc::pthread_attr_get_np(libc::pthread_self(), &raw mut attributes)
            };
            #[cfg(any(target_os = "linux", target_os = "android"))]
            let got = libc::pthread_getattr_np(libc::pthread_self(), &raw mut attributes);
            if got != 0 {
                return (0, 0);
            }
            let mut low: *mut c_void = ptr::null_mut();
            let mut size = 0_usize;
            let got =
                libc::pthread_attr_getstack(&raw const attributes, &raw mut low, &raw mut size);
            libc::pthread_attr_destroy(&raw mut attributes);
            if got == 0 { (low.addr(), low.addr() + size) } else { (0, 0) }
        }
        #[cfg(all(target_vendor = "apple", not(miri)))]
        // SAFETY: both calls take the current thread and only read.
        unsafe {
            let this = libc::pthread_self();
            let high = libc::pthread_get_stackaddr_np(this).addr();
            (high - libc::pthread_get_stacksize_np(this), high)
        }
        #[cfg(any(
            miri,
            not(any(
                target_os = "linux",
                target_os = "android",
                target_os = "freebsd",
                target_os = "netbsd",
                target_vendor = "apple"
            ))
        ))]
        (0, 0)
    }
}

#[cfg(not(unix))]
mod system {
    //! Without POSIX threads, the end of a thread is not noticed, and its state never handed on.

    use super::Thread;

    pub fn on_end(_thread: &'static Thread) {}

    pub fn stack_bounds() -> (usize, usize) {
        (0, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(address: usize) -> StackId {
        let root = contexts::root(0, 0).expect("there is memory");
        root.call(address).expect("there is memory").stack_id()
    }

    #[test]
    fn sums_are_over_all_threads_that_ever_ran() {
        let stack = stack(0x7EAD);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                scope.spawn(move || assert!(add(stack, thread + 1, 1)));
            }
        });
        let sum = |balance: Balance| (balance.bytes, balance.blocks);
        assert_eq!(sum(total(stack)), (10, 4));
        assert_eq!(sum(totals()[stack.0 as usize]), (10, 4));
        // Another thread frees what they have allocated.
        assert!(add(stack, -10, -4));
        assert_eq!(sum(total(stack)), (0, 0));
    }

    #[test]
    fn pauses_nest_and_end_with_the_thread() {
        let is_paused = || running().is_some_and(|thread| thread.walker.is_paused());
        for _ in 0..3 {
            std::thread::spawn(move || {
                current();
                assert!(!is_paused());
                let outer = pause();
                drop(pause());
                assert!(is_paused());
                // Its state is handed to the next thread.
                std::mem::forget(outer);
            })
            .join()
            .expect("no panic");
        }
    }
}
