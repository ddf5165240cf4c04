//! A lock for rare and short work, such as to grow a table or to register a thread.
//!
//! `std`'s mutex does not fit for two reasons: it can be poisoned, and it cannot be released in the
//! child of a `fork`. [`fork`](crate::os::fork) takes these locks before a `fork`, and releases
//! them on both sides.

use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicBool, Ordering};

/// After so many attempts, a thread that waits sleeps in between.
const MANY: u32 = 1 << 16;

/// A value behind a lock. A thread that waits spins, and now and then yields to the scheduler.
pub struct SpinLock<T> {
    locked: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: `lock` returns one `Locked` at a time, so one thread at a time reaches the value.
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

    /// As [`lock`](Self::lock), or `None` if the lock is held.
    pub fn try_lock(&self) -> Option<Locked<'_, T>> {
        self.locked
            .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
            .then_some(Locked { lock: self })
    }

    /// Takes the lock without a guard, for handlers of `fork`.
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
            } else if spins % 64 == 0 {
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
