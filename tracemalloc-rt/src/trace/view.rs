//! Counters of the program's own view: bytes, their peak, and the limit of frames.
//!
//! The view is what Python's `tracemalloc` module keeps: the blocks allocated since the program
//! started or cleared its tracing. The harness of `cargo tracemalloc test` may trace for itself at
//! the same time, so each block says whether it is in the view. Bytes in the view are the sum of
//! the sizes of the blocks that say so: the two only change together.
//!
//! # The peak
//!
//! Each thread counts its own bytes in a [`Part`], by plain loads and stores: those that it
//! allocated, less those that it freed. So one part may be negative, and the sum is exact. A part
//! also keeps the most that its bytes have been since its last *settlement*.
//!
//! The sum of all these maxima is never below the sum of the bytes. It may be above, because the
//! threads' maxima lie at different moments. Only frees make them differ. So a thread settles when
//! it has freed more than its *slack* since its maximum. It adds up all maxima and raises the peak
//! to that sum. Only then it lowers its own maximum to its bytes.
//!
//! - The peak is exact while one thread allocates and frees. Its maxima are those of the sum.
//! - With more threads the peak is never too low. It is too high by the slack of each of them at
//!   most: 16 KiB, or, if that is more, a 1024th of the peak. Just before the last free of each
//!   thread, its bytes were at least its maximum less its slack.
//!
//! Never too low needs an argument, because a settlement reads the maxima of running threads one by
//! one, without a fence on their side. Settlements hold a lock, so they have an order. Put all
//! allocations and frees in an order that keeps what happens before what, and the order of the
//! settlements. If a settlement does not see an allocation, put the allocation after it. This forms
//! no circle: in one, take the latest settlement. An allocation that it missed happens before
//! another settlement of the circle, hence before the latest one by the lock, which then sees it.
//! In this order, look at any moment, and at the first settlement after it. Between the two no
//! maximum is lowered, and each allocation before the moment is seen. So the settlement's sum is
//! not below the sum at that moment. (The free that begins a settlement comes before its reads.)
//!
//! To reset the peak is to level all maxima to the bytes at once. Other threads own their maxima,
//! so the level gets a number, and each thread's bytes are noted. A thread with a maximum of
//! another level has freed at most: the noted bytes are its maximum. It takes them over before its
//! next allocation, which [`TRACING`] sends to the slow path. An allocation of another thread that
//! is under way during a reset may be missing in the peak that follows.

use core::cell::Cell;
use core::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU32, AtomicU64, Ordering};
use core::{iter, ptr};

use crate::os::spin_lock::SpinLock;
use crate::trace::state::{SAMPLED, TRACING};

/// One thread at a time starts, stops, clears or reads the view.
pub static ACCESS: SpinLock<()> = SpinLock::new(());
static LIMIT: AtomicU32 = AtomicU32::new(1);

/// The least that a thread may free below its maximum before it settles.
const LEAST_SLACK: i64 = 16 << 10;
/// If the peak divided by this is more, that is the slack.
const PART_OF_PEAK: i64 = 1024;

/// The number of the level of the peak. It grows under the lock of [`PEAK`].
static LEVEL: AtomicU64 = AtomicU64::new(0);
static PEAK: SpinLock<Peak> =
    SpinLock::new(Peak { most: 0, of_ended: 0, estimate: 0, extra_of_empty: 0 });
/// Whether this process has been forked, and no thread has begun in it since.
static ALONE: AtomicBool = AtomicBool::new(false);
/// All parts, as a list.
static PARTS: AtomicPtr<Part> = AtomicPtr::new(ptr::null_mut());

struct Peak {
    /// The highest sum of maxima that was found on this level.
    most: i64,
    /// The bytes of threads that have given their part back.
    of_ended: i64,
    /// The highest estimate on this level, if blocks are sampled.
    estimate: i64,
    /// The sum of `extra` in the empty view.
    extra_of_empty: i64,
}

/// The bytes in the view of one thread. Zeroes are a part that has none.
#[derive(Debug)]
#[repr(C)]
pub struct Part {
    /// Allocated by this thread, less freed by it. Only the owner writes.
    bytes: AtomicI64,
    /// The most that `bytes` has been since the last settlement. Only the owner writes.
    most: AtomicI64,
    /// How far `bytes` may be below `most`.
    slack: Cell<i64>,
    /// The level that `most` is of. Only the owner writes.
    level: AtomicU64,
    /// The `bytes` at the beginning of the last level. Written under the lock of [`PEAK`].
    at_level: AtomicI64,
    /// The bytes that sampled blocks of this thread stand for, beyond their own. Only the owner
    /// writes.
    extra: AtomicI64,
    next: AtomicPtr<Part>,
}

impl Part {
    /// Counts a block that was added to the view. For the owner, after
    /// [`keep_level`](Self::keep_level).
    #[inline(always)]
    pub fn grew(&self, size: usize) {
        let bytes = self.bytes.load(Ordering::Relaxed).wrapping_add(size as i64);
        if bytes > self.most.load(Ordering::Relaxed) {
            self.most.store(bytes, Ordering::Relaxed);
        }
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// Counts a block that has left the view. For the owner.
    #[inline(always)]
    pub fn shrank(&self, size: usize) {
        let bytes = self.bytes.load(Ordering::Relaxed).wrapping_sub(size as i64);
        self.bytes.store(bytes, Ordering::Relaxed);
        if self.most.load(Ordering::Relaxed).wrapping_sub(bytes) > self.slack.get() {
            self.settle();
        }
    }

    /// Counts what a sampled block stands for, beyond its own bytes; negative if it has left the
    /// view. For the owner.
    #[inline(always)]
    pub fn add_extra(&self, extra: i64) {
        if extra != 0 {
            self.count_extra(extra);
        }
    }

    #[inline(never)]
    fn count_extra(&self, extra: i64) {
        let sum = self.extra.load(Ordering::Relaxed).wrapping_add(extra);
        self.extra.store(sum, Ordering::Relaxed);
        if extra > 0 {
            // An allocation never waits here: the next one will see as many bytes, or nearly.
            if let Some(mut peak) = PEAK.try_lock() {
                peak.estimate = peak.estimate.max(peak.estimate_now());
            }
        }
    }

    /// Levels the maximum if the peak was reset since. For the owner.
    pub fn keep_level(&self) {
        let level = LEVEL.load(Ordering::Acquire);
        if self.level.load(Ordering::Relaxed) != level {
            let most = self.at_level.load(Ordering::Relaxed);
            self.most.store(most.max(self.bytes.load(Ordering::Relaxed)), Ordering::Relaxed);
            self.slack.set(LEAST_SLACK);
            self.level.store(level, Ordering::Release);
        }
    }

    /// Adds a new part to the list.
    pub fn enlist(&'static self) {
        let new = ptr::from_ref(self).cast_mut();
        let mut head = PARTS.load(Ordering::Acquire);
        loop {
            self.next.store(head, Ordering::Relaxed);
            match PARTS.compare_exchange_weak(head, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return,
                Err(other) => head = other,
            }
        }
    }

    /// Raises the peak to the sum of all maxima, and lowers the own one to the bytes. For the
    /// owner. If another thread holds the lock, nothing happens, and the next free tries again. So
    /// a free never waits.
    #[cold]
    #[inline(never)]
    pub fn settle(&self) {
        self.keep_level();
        let Some(mut peak) = PEAK.try_lock() else { return };
        peak.most = peak.most.max(peak.sums().most);
        self.most.store(self.bytes.load(Ordering::Relaxed), Ordering::Relaxed);
        self.slack.set((peak.most / PART_OF_PEAK).max(LEAST_SLACK));
    }

    /// Its maximum, on this level.
    fn most(&self, level: u64) -> i64 {
        let most = match self.level.load(Ordering::Acquire) == level {
            true => &self.most,
            // Since then it has only freed.
            false => &self.at_level,
        };
        // The owner raises its maximum first, but the loads may come in another order.
        most.load(Ordering::Relaxed).max(self.bytes.load(Ordering::Relaxed))
    }
}

/// Sums over all threads.
struct Sums {
    bytes: i64,
    most: i64,
}

impl Peak {
    fn extra(&self) -> i64 {
        parts().map(|part| part.extra.load(Ordering::Relaxed)).fold(0, i64::wrapping_add)
    }

    /// The bytes that the sampled blocks stand for. A block that was just counted while the view
    /// began or ended may be missing, or too much: it is an estimate.
    fn estimate_now(&self) -> i64 {
        self.sums().bytes + self.extra() - self.extra_of_empty
    }

    fn sums(&self) -> Sums {
        let level = LEVEL.load(Ordering::Relaxed);
        let mut sums = Sums { bytes: self.of_ended, most: self.of_ended };
        for part in parts() {
            sums.bytes = sums.bytes.wrapping_add(part.bytes.load(Ordering::Relaxed));
            sums.most = sums.most.wrapping_add(part.most(level));
        }
        sums
    }

    /// Begins a level, from the bytes of now.
    fn level(&mut self) {
        self.most = self.of_ended;
        for part in parts() {
            let bytes = part.bytes.load(Ordering::Relaxed);
            part.at_level.store(bytes, Ordering::Relaxed);
            self.most = self.most.wrapping_add(bytes);
        }
        self.estimate = self.estimate_now();
        LEVEL.fetch_add(1, Ordering::Release);
        TRACING.touch();
    }
}

fn parts() -> impl Iterator<Item = &'static Part> {
    // SAFETY: parts in the list are never unmapped; of these only atomics are read, and written
    // under a lock.
    let part = |part: &AtomicPtr<Part>| unsafe { part.load(Ordering::Acquire).as_ref() };
    iter::successors(part(&PARTS), move |before| part(&before.next))
}

/// Counts a block that a thread without a part has added to the view; one that has left it if the
/// size is negative.
#[cold]
pub fn changed_by_ended_thread(size: i64) {
    let mut peak = PEAK.lock();
    peak.of_ended += size;
    if size > 0 {
        peak.most = peak.most.max(peak.sums().most);
    }
}

/// Bytes in the view now, and the most that they have been.
pub fn bytes_and_peak() -> (u64, u64) {
    let peak = PEAK.lock();
    if TRACING.flags() & SAMPLED != 0 {
        let estimate = peak.estimate_now();
        return (estimate.max(0) as u64, peak.estimate.max(estimate).max(0) as u64);
    }
    let sums = peak.sums();
    let most = peak.most.max(sums.most).max(sums.bytes);
    // Below zero if a block moved on meanwhile: its allocation was not counted yet, its free was.
    (sums.bytes.max(0) as u64, most.max(0) as u64)
}

/// Sets the peak to the bytes in the view now.
pub fn level_peak() {
    PEAK.lock().level();
}

/// As [`level_peak`], after all blocks have been taken out of the view. In a forked child, no bytes
/// are left. Those of the parent's other threads may be off by the block that each was counting
/// during the fork.
pub fn level_empty() {
    let mut peak = PEAK.lock();
    if ALONE.load(Ordering::Relaxed) {
        peak.of_ended -= peak.sums().bytes;
    }
    peak.extra_of_empty = peak.extra();
    peak.level();
}

/// Called in a forked child, by its only thread.
pub fn forked() {
    ALONE.store(true, Ordering::Relaxed);
}

/// Called by a thread that begins.
pub fn thread_begins() {
    ALONE.store(false, Ordering::Relaxed);
}

pub fn before_fork() {
    PEAK.acquire();
}

pub fn after_fork() {
    PEAK.release();
}

/// The most frames of a traceback; that of the last start, where the program does not trace.
pub fn limit() -> u32 {
    LIMIT.load(Ordering::Relaxed)
}

/// Sets the most frames of a traceback.
pub fn set_limit(limit: u32) {
    LIMIT.store(limit, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::util::numbers::Numbers;

    /// No other test of this crate counts in the view.
    static VIEW: Mutex<()> = Mutex::new(());

    fn part() -> &'static Part {
        // SAFETY: zeroes are a part that has no bytes.
        let part: &'static Part = Box::leak(unsafe { Box::new_zeroed().assume_init() });
        part.enlist();
        part
    }

    impl Numbers {
        /// Mostly small, some larger than any slack.
        fn size(&mut self) -> usize {
            let bits = self.below(20);
            self.below(1 << bits)
        }
    }

    /// The sizes of live blocks, and the most that their sum was.
    #[derive(Default)]
    struct Model {
        blocks: Vec<usize>,
        bytes: usize,
        most: usize,
    }

    impl Model {
        /// Changes one block of the model and of a part. Grows for a while, and then shrinks.
        fn step(&mut self, numbers: &mut Numbers, part: &Part) {
            let grows = if self.blocks.len() < 500 { 3 } else { 1 };
            if self.blocks.is_empty() || numbers.below(5) < grows {
                let size = numbers.size();
                self.blocks.push(size);
                self.bytes += size;
                part.keep_level();
                part.grew(size);
            } else {
                let size = self.blocks.swap_remove(numbers.below(self.blocks.len()));
                self.bytes -= size;
                part.shrank(size);
            }
            self.most = self.most.max(self.bytes);
        }

        fn level(&mut self) {
            self.most = self.bytes;
            level_peak();
        }

        fn told(&self) -> (u64, u64) {
            (self.bytes as u64, self.most as u64)
        }

        /// Frees what is left, for the next test.
        fn end(self, part: &Part) {
            self.blocks.into_iter().for_each(|size| part.shrank(size));
            assert_eq!(bytes_and_peak().0, 0);
        }
    }

    const ROUNDS: usize = if cfg!(miri) { 1_000 } else { 200_000 };

    #[test]
    fn the_peak_of_one_thread_is_that_of_a_model() {
        let _view = VIEW.lock().unwrap();
        level_peak();
        let (mut numbers, mut model, part) = (Numbers(1), Model::default(), part());
        for _ in 0..ROUNDS {
            model.step(&mut numbers, part);
            if numbers.below(1_000) == 0 {
                model.level();
            }
            assert_eq!(bytes_and_peak(), model.told());
        }
        model.end(part);
    }

    /// The peak of several threads, which take turns.
    fn is_in_bounds(told: (u64, u64), model: &Model, parts: usize) {
        let (bytes, most) = model.told();
        let slack = (told.1 as i64 / PART_OF_PEAK).max(LEAST_SLACK) as u64;
        assert_eq!(told.0, bytes);
        assert!(told.1 >= most, "{told:?}, but it was {most}");
        assert!(told.1 <= most + parts as u64 * slack, "{told:?}, but it was {most}");
    }

    #[test]
    fn the_peak_of_many_threads_is_never_too_low_and_too_high_by_their_slack_at_most() {
        let _view = VIEW.lock().unwrap();
        level_peak();
        let parts: Vec<_> = (0..7).map(|_| part()).collect();
        let (mut numbers, mut model) = (Numbers(2), Model::default());
        for round in 0..ROUNDS {
            // For a while fewer of them, so that others are idle.
            let part = parts[numbers.below(1 + round / 999 % parts.len())];
            model.step(&mut numbers, part);
            if numbers.below(10_000) == 0 {
                model.level();
            }
            is_in_bounds(bytes_and_peak(), &model, parts.len());
        }
        model.end(parts[0]);
    }

    #[test]
    fn the_peak_of_running_threads_is_in_the_same_bounds() {
        let _view = VIEW.lock().unwrap();
        level_peak();
        let shared = Mutex::new(Model::default());
        let threads = 4;
        std::thread::scope(|scope| {
            for seed in 0..threads {
                let shared = &shared;
                scope.spawn(move || {
                    let (mut numbers, own) = (Numbers(seed), part());
                    let mut unordered = 0;
                    for _ in 0..ROUNDS / 10 {
                        // Outside of the order, too, but the sum stays as it is.
                        own.keep_level();
                        own.grew(8);
                        unordered += 8;
                        let mut model = shared.lock().unwrap();
                        own.shrank(std::mem::take(&mut unordered));
                        model.step(&mut numbers, own);
                        if numbers.below(10_000) == 0 {
                            model.level();
                        }
                    }
                });
            }
        });
        let model = shared.into_inner().unwrap();
        let told = bytes_and_peak();
        // Each thread had 8 bytes more at most.
        let slack = (told.1 as i64 / PART_OF_PEAK).max(LEAST_SLACK) as u64;
        assert_eq!(told.0, model.told().0);
        let most = model.told().1;
        assert!(
            told.1 >= most && told.1 <= most + threads * (slack + 8),
            "{told:?}, but it was {most}"
        );
        model.end(part());
    }
}
