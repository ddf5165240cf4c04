//! The table of scopes, by number: their threads, their peaks, and which lies inside which.
//!
//! Entries are never freed. A look-up takes no lock.

use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU32, Ordering};

use crate::os::memory;
use crate::os::spin_lock::SpinLock;
use crate::trace::contexts::Context;
use crate::trace::spending;
use crate::trace::stack_id::StackId;
use crate::trace::state::TRACING;

const PER_CHUNK: u32 = 1 << 10;
const CHUNKS: usize = 1 << 12;

/// The entry of one scope. Zeroes are a scope in which nothing happened.
#[derive(Debug)]
pub struct Scope {
    /// The scope that this one is inside of, or 0.
    pub outer: AtomicU32,
    /// The last scope inside of this one that has ended and left something, or 0.
    pub inner: AtomicU32,
    /// The ended scope before it inside of the same scope, or 0. For a free number, the next free
    /// one.
    pub next: AtomicU32,
    /// Threads that belong to it or to a scope inside of it, and have not ended.
    pub threads: AtomicU32,
    /// Whether the two below are counted.
    counts_peak: AtomicBool,
    bytes: AtomicI64,
    peak: AtomicI64,
    /// Whether all that it allocates is counted.
    counts_spending: AtomicBool,
}

/// The numbers that a scope counts beyond its live memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// The most bytes that were live at once.
    pub peak: bool,
    /// All allocations and their bytes, freed or not.
    pub spending: bool,
}

/// Which numbers are in use. Only the holder of the lock touches it.
pub struct Numbers {
    /// Numbers from here on were never used.
    unused: u32,
    /// The first free one, or 0.
    free: u32,
    /// Checks that are running.
    pub running: u32,
}

static CHUNK: [AtomicPtr<Scope>; CHUNKS] = [const { AtomicPtr::new(ptr::null_mut()) }; CHUNKS];
pub static NUMBERS: SpinLock<Numbers> = SpinLock::new(Numbers { unused: 1, free: 0, running: 0 });
/// How many running scopes count their peak.
static PEAKS: AtomicU32 = AtomicU32::new(0);
/// How many running scopes count their spending.
static SPENDINGS: AtomicU32 = AtomicU32::new(0);

/// The scope with a number; `None` for 0, and for numbers that were never used.
pub fn scope(number: u32) -> Option<&'static Scope> {
    let chunk = NonNull::new(CHUNK.get((number / PER_CHUNK) as usize)?.load(Ordering::Acquire))?;
    // SAFETY: a published chunk has PER_CHUNK scopes and is never unmapped; zeroed memory is a
    // valid scope.
    (number != 0).then(|| unsafe { chunk.add((number % PER_CHUNK) as usize).as_ref() })
}

impl Scope {
    /// Begins to count from 0 what is wanted.
    pub fn begin_counting(&self, counts: Counts) {
        self.bytes.store(0, Ordering::Relaxed);
        self.peak.store(0, Ordering::Relaxed);
        self.counts_peak.store(counts.peak, Ordering::Relaxed);
        self.counts_spending.store(counts.spending, Ordering::Relaxed);
        PEAKS.fetch_add(u32::from(counts.peak), Ordering::AcqRel);
        SPENDINGS.fetch_add(u32::from(counts.spending), Ordering::AcqRel);
        if counts != Counts::default() {
            TRACING.touch();
        }
    }

    /// Ends what [`begin_counting`](Self::begin_counting) has begun.
    pub fn end_counting(&self) {
        let peak = self.counts_peak.swap(false, Ordering::Relaxed);
        let spending = self.counts_spending.swap(false, Ordering::Relaxed);
        PEAKS.fetch_sub(u32::from(peak), Ordering::AcqRel);
        SPENDINGS.fetch_sub(u32::from(spending), Ordering::AcqRel);
        if peak || spending {
            TRACING.touch();
        }
    }
}

impl Numbers {
    /// A free number, and its scope. `None` where there is no memory for one.
    pub fn take(&mut self) -> Option<(u32, &'static Scope)> {
        if self.free == 0 {
            let number = self.unused;
            let scope = new(number)?;
            self.unused += 1;
            return Some((number, scope));
        }
        let number = self.free;
        let scope = scope(number)?;
        self.free = scope.next.swap(0, Ordering::Relaxed);
        Some((number, scope))
    }

    /// Frees a number that nothing is left of, and those inside of it.
    pub fn release(&mut self, number: u32) {
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

/// The most bytes of the scope that were live at the same time, if it counts them.
pub fn peak(number: u32) -> u64 {
    scope(number).map_or(0, |scope| scope.peak.load(Ordering::Relaxed).max(0) as u64)
}

/// How many threads of the scope, and of scopes inside of it, have not ended.
pub fn threads(number: u32) -> u32 {
    scope(number).map_or(0, |scope| scope.threads.load(Ordering::Acquire))
}

/// Counts a thread that is about to be started in this scope. If `begins` is false, it has ended or
/// could not be started. The count keeps the number from being used again, so a thread always
/// leaves the scope that it was counted in.
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

/// Counts a block of this stack; one that has gone if the size is negative.
#[inline(always)]
pub fn count_bytes(stack: StackId, size: i64) {
    if counts_peaks() {
        count_bytes_of(Context::of(stack).scope(), size);
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

/// Whether every allocation has to take the slow path, which counts it.
#[inline(always)]
pub fn counts_allocations() -> bool {
    counts_peaks() || SPENDINGS.load(Ordering::Relaxed) != 0
}

/// Counts an allocation of this stack, if a running scope counts its spending.
#[inline(always)]
pub fn count_allocation(stack: StackId, size: usize) {
    if SPENDINGS.load(Ordering::Relaxed) != 0 && counts_spending(Context::of(stack).scope()) {
        spending::add(stack, size);
    }
}

/// Whether this scope, or one that it is inside of, counts its spending.
#[cold]
pub fn counts_spending(number: u32) -> bool {
    let mut counts = false;
    for_each_outwards(number, |scope| counts |= scope.counts_spending.load(Ordering::Relaxed));
    counts
}

fn for_each_outwards(number: u32, mut visit: impl FnMut(&Scope)) {
    let mut next = number;
    while let Some(scope) = scope(next) {
        visit(scope);
        next = scope.outer.load(Ordering::Relaxed);
    }
}

/// Makes the scope of a number that was never used. Needs the lock.
fn new(number: u32) -> Option<&'static Scope> {
    let place = CHUNK.get((number / PER_CHUNK) as usize)?;
    if place.load(Ordering::Acquire).is_null() {
        let chunk = memory::reserve(PER_CHUNK as usize * size_of::<Scope>())?;
        place.store(chunk.as_ptr().cast(), Ordering::Release);
    }
    scope(number)
}

const _: () = assert!(align_of::<Scope>() <= 16);
