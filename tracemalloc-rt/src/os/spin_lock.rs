//! A lock for rare, short, allocation-free work: growing a table, registering a thread.
//!
//! `std`'s mutex would do, but for two things: it can be poisoned, and it cannot be released in the
//! child of a `fork`. Every lock here is taken before a `fork` and released on both sides, so that
//! the child never finds one held.

use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicBool, Ordering};

/// After so many attempts, a thread that waits sleeps in between.
const MANY: u32 = 1 << 16;

/// A value behind a lock that spins, and yields to the scheduler while it waits.
pub struct SpinLock<T> {
    locked: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: `lock` gives out one `Locked` at a time, so the value is only ever reached by one thread
// at a time.
unsafe impl<T: Send> Sync for SpinLock<T> {}

/// The lock is held while this lives.
pub struct Locked<'a, T> {
    lock: &'a SpinLock<T>,
}

impl<T> SpinLock<T> {
    pub const fn new(value: T) -> Self {
        Self { locked: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    pub fn lock(&self) -> Locked<'_, T> {
        self.acquire();
        Locked { lock: self }
    }

    /// Takes the lock without a guard, for the handler that runs before a `fork`.
    pub fn acquire(&self) {
        let mut spins = 0_u32;
        while self
            .locked
            .compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            spins = spins.saturating_add(1);
            if spins > MANY {
                std::thread::sleep(core::time::Duration::from_micros(100));
            } else if spins.is_multiple_of(64) {
                std::thread::yield_now();
            } else {
                core::hint::spin_loop();
            }
        }
    }

    /// Releases what [`acquire`](Self::acquire) took.
    pub fn release(&self) {
        self.locked.store(false, Ordering::Release);
    }
}

impl<T> Deref for Locked<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this guard holds the lock.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Locked<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this guard holds the lock, and is borrowed exclusively.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Locked<'_, T> {
    fn drop(&mut self) {
        self.lock.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_take_turns() {
        let lock = SpinLock::new(0_u64);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        *lock.lock() += 1;
                    }
                });
            }
        });
        assert_eq!(*lock.lock(), 4_000);
    }
}
