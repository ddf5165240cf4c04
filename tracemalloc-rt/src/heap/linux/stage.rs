//! A stage in shared memory: one process sets it, and another waits for it.

use core::sync::atomic::{AtomicU32, Ordering};

/// A number in memory that copies of this process share. It starts as 0.
#[derive(Debug)]
#[repr(transparent)]
pub struct Stage(AtomicU32);

impl Stage {
    /// The number. Writes of the other process before it set the number are visible.
    pub fn get(&self) -> u32 {
        self.0.load(Ordering::Acquire)
    }

    /// Sets the number, and wakes the waiting process.
    pub fn set(&self, value: u32) {
        self.0.store(value, Ordering::Release);
        // SAFETY: wakes waiters at this address; nothing is written.
        unsafe {
            libc::syscall(libc::SYS_futex, self.0.as_ptr(), libc::FUTEX_WAKE, i32::MAX, 0, 0, 0)
        };
    }

    /// Waits until the number changes from `value`, at most a few milliseconds.
    pub fn wait_for_change(&self, value: u32) {
        let time = libc::timespec { tv_sec: 0, tv_nsec: 5_000_000 };
        // SAFETY: the kernel reads the number and the time.
        unsafe {
            libc::syscall(
                libc::SYS_futex,
                self.0.as_ptr(),
                libc::FUTEX_WAIT,
                value,
                &raw const time,
                0,
                0,
            )
        };
    }
}
