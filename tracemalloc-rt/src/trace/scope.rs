//! Scopes: what one check allocates, told from everything else that happens in the process.
//!
//! While a check runs, the state of its thread holds the number of a scope, and so does that of
//! threads that it starts. A stack that is walked meanwhile is a stack of that scope, another one
//! than the same frames outside. So the ledgers' sum over the stacks of a scope is exactly what is
//! live of what the check allocated, whichever thread frees it.
//!
//! A check inside a check is a scope inside a scope: what the inner one has left is the outer one's
//! too.
//!
//! Stacks are kept for ever, so numbers are used again: once the check is over, none of its threads
//! runs, and nothing that it allocated is live. Another number is never used again, and what its
//! threads still allocate is nobody's.

use core::iter;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU32, Ordering};

use crate::allocator::{FOR_CHECKS, TRACING};
use crate::os::memory;
use crate::os::spin_lock::SpinLock;
use crate::trace::contexts::Context;
use crate::trace::ledger::Balance;
use crate::trace::stack_id::StackId;
use crate::trace::{environment, thread, view};

const PER_CHUNK: u32 = 1 << 10;
const CHUNKS: usize = 1 << 12;

/// What is known of a scope. Zeroes are a scope that nothing happened in.
#[derive(Debug)]
struct Scope {
    /// The newest context of its stacks; the others hang on that one.
    newest_context: AtomicU32,
    /// The scope that this one is inside of, or 0.
    outer: AtomicU32,
    /// Of those inside of this one that are over and have left something, the last; or 0.
    inner: AtomicU32,
    /// The one before it inside of the same scope; of a free scope, the next free one; or 0.
    next: AtomicU32,
    /// Threads that it was handed down to and that run, here and in what is inside.
    threads: AtomicU32,
    /// Whether the two below are counted.
    counts_peak: AtomicBool,
    bytes: AtomicI64,
    peak: AtomicI64,
}

/// What only the holder of the lock touches.
struct Numbers {
    /// Numbers from here on were never used.
    unused: u32,
    /// The first free one, or 0.
    free: u32,
    /// Checks that are running.
    running: u32,
}

static CHUNK: [AtomicPtr<Scope>; CHUNKS] = [const { AtomicPtr::new(ptr::null_mut()) }; CHUNKS];
static NUMBERS: SpinLock<Numbers> = SpinLock::new(Numbers { unused: 1, free: 0, running: 0 });
/// How many running scopes count their peak.
static PEAKS: AtomicU32 = AtomicU32::new(0);

/// A new scope inside that of the current thread, which does not enter it yet; 0 where there is no
/// memory for one. Stacks are walked to this depth at least from now on.
pub fn begin(depth: usize, counts_peak: bool) -> u32 {
    environment::decided();
    view::deepen_for_checks(depth);
    let mut numbers = NUMBERS.lock();
    let (number, scope) = match numbers.free {
        0 => {
            let number = numbers.unused;
            let Some(scope) = new(number) else { return 0 };
            numbers.unused += 1;
            (number, scope)
        }
        number => {
            let Some(scope) = scope(number) else { return 0 };
            numbers.free = scope.next.swap(0, Ordering::Relaxed);
            (number, scope)
        }
    };
    scope.outer.store(thread::scope(), Ordering::Relaxed);
    scope.bytes.store(0, Ordering::Relaxed);
    scope.peak.store(0, Ordering::Relaxed);
    scope.counts_peak.store(counts_peak, Ordering::Relaxed);
    if counts_peak {
        PEAKS.fetch_add(1, Ordering::AcqRel);
    }
    numbers.running += 1;
    TRACING.fetch_or(FOR_CHECKS, Ordering::AcqRel);
    number
}

/// The check is over.
pub fn end(number: u32) {
    let Some(scope) = scope(number) else { return };
    let mut numbers = NUMBERS.lock();
    if scope.counts_peak.swap(false, Ordering::Relaxed) {
        PEAKS.fetch_sub(1, Ordering::AcqRel);
    }
    numbers.running -= 1;
    if numbers.running == 0 {
        TRACING.fetch_and(!FOR_CHECKS, Ordering::AcqRel);
    }
    if is_empty(number) {
        numbers.release(number);
    } else if let Some(outer) = self::scope(scope.outer.load(Ordering::Relaxed)) {
        scope.next.store(outer.inner.load(Ordering::Relaxed), Ordering::Relaxed);
        outer.inner.store(number, Ordering::Release);
    }
}

/// Calls `visit` with what is live of each stack of a scope, and of those inside of it that are
/// over; paths that nothing was allocated by are among them.
pub fn for_each(number: u32, visit: &mut dyn FnMut(StackId, Balance)) {
    let Some(scope) = scope(number) else { return };
    let newest = scope.newest_context.load(Ordering::Acquire);
    let newest = (newest != 0).then_some(Context::numbered(newest));
    for stack in iter::successors(newest, |context| context.next_in_scope()).map(StackId::of) {
        visit(stack, thread::total(stack));
    }
    let mut inner = scope.inner.load(Ordering::Acquire);
    while let Some(scope) = self::scope(inner) {
        for_each(inner, visit);
        inner = scope.next.load(Ordering::Relaxed);
    }
}

/// The most bytes of the scope that were live at once, if they were counted.
pub fn peak(number: u32) -> u64 {
    scope(number).map_or(0, |scope| scope.peak.load(Ordering::Relaxed).max(0) as u64)
}

/// How many threads run that the scope was handed down to.
pub fn threads(number: u32) -> u32 {
    scope(number).map_or(0, |scope| scope.threads.load(Ordering::Acquire))
}

/// A thread was handed this scope, or it ends.
pub fn count_thread(number: u32, begins: bool) {
    for_each_outwards(number, |scope| {
        if begins {
            scope.threads.fetch_add(1, Ordering::AcqRel);
        } else {
            scope.threads.fetch_sub(1, Ordering::AcqRel);
        }
    });
}

/// Whether any scope counts its peak.
#[inline(always)]
pub fn counts_peaks() -> bool {
    PEAKS.load(Ordering::Relaxed) != 0
}

/// A block of this stack has come, or gone, where the size is negative.
#[inline(always)]
pub fn count_bytes(stack: StackId, size: i64) {
    if counts_peaks() {
        count_bytes_of(stack.context().scope(), size);
    }
}

#[cold]
fn count_bytes_of(number: u32, size: i64) {
    for_each_outwards(number, |scope| {
        if scope.counts_peak.load(Ordering::Relaxed) {
            let bytes = scope.bytes.fetch_add(size, Ordering::Relaxed) + size;
            scope.peak.fetch_max(bytes, Ordering::Relaxed);
        }
    });
}

/// The newest context of a scope's stacks, or 0.
pub fn newest_context(number: u32) -> u32 {
    scope(number).map_or(0, |scope| scope.newest_context.load(Ordering::Acquire))
}

/// A context was added to a scope. Under the lock of the contexts.
pub fn set_newest_context(number: u32, context: u32) {
    if let Some(scope) = scope(number) {
        scope.newest_context.store(context, Ordering::Release);
    }
}

pub fn before_fork() {
    NUMBERS.acquire();
}

pub fn after_fork() {
    NUMBERS.release();
}

impl Numbers {
    /// Frees a number that nothing is left of, and those inside of it.
    fn release(&mut self, number: u32) {
        let Some(scope) = scope(number) else { return };
        let mut inner = scope.inner.swap(0, Ordering::Relaxed);
        while inner != 0 {
            let next = self::scope(inner).map_or(0, |scope| scope.next.load(Ordering::Relaxed));
            self.release(inner);
            inner = next;
        }
        scope.next.store(self.free, Ordering::Relaxed);
        self.free = number;
    }
}

/// Whether nothing is live of a scope, and none of its threads runs.
fn is_empty(number: u32) -> bool {
    let mut live = false;
    for_each(number, &mut |_, balance| live |= balance != Balance::default());
    !live && threads(number) == 0
}

fn for_each_outwards(number: u32, visit: impl Fn(&Scope)) {
    let mut next = number;
    while let Some(scope) = scope(next) {
        visit(scope);
        next = scope.outer.load(Ordering::Relaxed);
    }
}

/// `None` for 0, and for numbers that were never used.
fn scope(number: u32) -> Option<&'static Scope> {
    let chunk = NonNull::new(CHUNK.get((number / PER_CHUNK) as usize)?.load(Ordering::Acquire))?;
    // SAFETY: a published chunk has PER_CHUNK scopes and is never unmapped; zeroed memory is a
    // valid scope.
    (number != 0).then(|| unsafe { chunk.add((number % PER_CHUNK) as usize).as_ref() })
}

/// The scope of a number that was never used. Under the lock.
fn new(number: u32) -> Option<&'static Scope> {
    let place = CHUNK.get((number / PER_CHUNK) as usize)?;
    if place.load(Ordering::Acquire).is_null() {
        let chunk = memory::reserve(PER_CHUNK as usize * size_of::<Scope>())?;
        place.store(chunk.as_ptr().cast(), Ordering::Release);
    }
    scope(number)
}

const _: () = assert!(align_of::<Scope>() <= 16);
