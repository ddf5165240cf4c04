//! Locks that are taken before each `fork`, so that none is held for ever in the child.
//!
//! The child has the forking thread alone. A lock that another thread held at that moment would
//! never be released there. So a handler takes all locks before the `fork`, and releases them on
//! both sides of it.
//!
//! The locks of code that is not ours are not among them. One matters: the `backtrace` crate has a
//! lock for what it reads. All our calls of it are under a lock of ours. A program that calls the
//! crate itself, from one thread while another one forks, may leave it held in the child.

use core::cell::UnsafeCell;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use crate::os::spin_lock::SpinLock;

/// A value behind a lock that is free in the child of a `fork`, if the forking thread does not use
/// the value just then.
///
/// Code that uses a value may take the innermost locks, and no lock of this kind.
pub struct ForkLock<T> {
    listed: Listed,
    value: UnsafeCell<T>,
}

// SAFETY: `with` gives the value to one thread at a time.
unsafe impl<T: Send> Sync for ForkLock<T> {}

/// A lock, and the one that was listed before it.
struct Listed {
    lock: SpinLock<()>,
    is_listed: AtomicBool,
    earlier: AtomicPtr<Listed>,
}

/// Locks that are taken after all others, in an order of their own.
#[cfg_attr(any(not(unix), miri), expect(dead_code, reason = "there is no fork to hold them over"))]
pub struct InnermostLocks {
    pub acquire: fn(),
    pub release: fn(),
    /// Called in the child, while the locks are held. No other thread runs there.
    pub forked: fn(),
}

static INNERMOST: AtomicPtr<InnermostLocks> = AtomicPtr::new(ptr::null_mut());
static LAST: AtomicPtr<Listed> = AtomicPtr::new(ptr::null_mut());

/// Has these locks held over each `fork` from now on.
pub fn hold_innermost(locks: &'static InnermostLocks) {
    if INNERMOST.load(Ordering::Relaxed).is_null() {
        INNERMOST.store(ptr::from_ref(locks).cast_mut(), Ordering::Release);
        install();
    }
}

impl<T> ForkLock<T> {
    pub const fn new(value: T) -> Self {
        let listed = Listed {
            lock: SpinLock::new(()),
            is_listed: AtomicBool::new(false),
            earlier: AtomicPtr::new(ptr::null_mut()),
        };
        Self { listed, value: UnsafeCell::new(value) }
    }

    /// Uses the value. Other threads, and threads that fork, wait meanwhile.
    pub fn with<R>(&'static self, use_it: impl FnOnce(&mut T) -> R) -> R {
        self.listed.hold();
        let _locked = self.listed.lock.lock();
        // SAFETY: the lock is held until `use_it` has returned.
        use_it(unsafe { &mut *self.value.get() })
    }
}

impl Listed {
    /// Has this lock held over each `fork` from now on.
    fn hold(&'static self) {
        if self.is_listed.load(Ordering::Relaxed) || self.is_listed.swap(true, Ordering::Relaxed) {
            return;
        }
        let mut last = LAST.load(Ordering::Relaxed);
        loop {
            self.earlier.store(last, Ordering::Relaxed);
            let this = ptr::from_ref(self).cast_mut();
            match LAST.compare_exchange_weak(last, this, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => break,
                Err(other) => last = other,
            }
        }
        install();
    }
}

/// Has the handlers called, from the first call on.
fn install() {
    #[cfg(all(unix, not(miri)))]
    {
        use self::handlers::{after, after_in_child, before};
        static DONE: AtomicBool = AtomicBool::new(false);
        if !DONE.swap(true, Ordering::AcqRel) {
            // SAFETY: the handlers only take and release locks, and set a flag.
            unsafe { libc::pthread_atfork(Some(before), Some(after), Some(after_in_child)) };
        }
    }
}

#[cfg(all(unix, not(miri)))]
mod handlers {
    use super::{AtomicPtr, INNERMOST, InnermostLocks, LAST, Listed, Ordering, SpinLock, ptr};

    /// One thread forks at a time.
    static FORKING: SpinLock<()> = SpinLock::new(());
    /// The locks that the forking thread has taken, and has to release. More may be listed
    /// meanwhile.
    static TAKEN: AtomicPtr<Listed> = AtomicPtr::new(ptr::null_mut());
    static TAKEN_INNERMOST: AtomicPtr<InnermostLocks> = AtomicPtr::new(ptr::null_mut());

    pub extern "C" fn before() {
        FORKING.acquire();
        TAKEN.store(LAST.load(Ordering::Acquire), Ordering::Relaxed);
        TAKEN_INNERMOST.store(INNERMOST.load(Ordering::Acquire), Ordering::Relaxed);
        for_each_taken(SpinLock::acquire);
        if let Some(innermost) = innermost_taken() {
            (innermost.acquire)();
        }
    }

    pub extern "C" fn after_in_child() {
        if let Some(innermost) = innermost_taken() {
            (innermost.forked)();
        }
        after();
    }

    pub extern "C" fn after() {
        if let Some(innermost) = innermost_taken() {
            (innermost.release)();
        }
        for_each_taken(SpinLock::release);
        FORKING.release();
    }

    fn for_each_taken(visit: impl Fn(&SpinLock<()>)) {
        let mut next = TAKEN.load(Ordering::Relaxed);
        // SAFETY: the pointers of the list are null or to statics.
        while let Some(listed) = unsafe { next.as_ref() } {
            visit(&listed.lock);
            next = listed.earlier.load(Ordering::Relaxed);
        }
    }

    fn innermost_taken() -> Option<&'static InnermostLocks> {
        // SAFETY: null or to a static.
        unsafe { TAKEN_INNERMOST.load(Ordering::Relaxed).as_ref() }
    }
}

#[cfg(all(test, unix, not(miri)))]
mod tests {
    use core::time::Duration;

    use super::*;

    static LOCK: ForkLock<u32> = ForkLock::new(0);

    #[test]
    fn a_lock_that_another_thread_held_is_free_in_the_child() {
        static IS_HELD: AtomicBool = AtomicBool::new(false);
        std::thread::spawn(|| {
            LOCK.with(|value| {
                IS_HELD.store(true, Ordering::Release);
                std::thread::sleep(Duration::from_millis(100));
                *value = 7;
            });
        });
        while !IS_HELD.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        // SAFETY: the child uses the lock, and ends, for a signal if it hangs.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: takes a number.
            unsafe { libc::alarm(20) };
            let is_done = LOCK.with(|value| *value == 7);
            // SAFETY: ends the child.
            unsafe { libc::_exit(if is_done { 0 } else { 1 }) };
        }
        let mut status = 0;
        // SAFETY: `status` is a place to write to, `child` a child of ours.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert_eq!(status, 0);
        assert_eq!(LOCK.with(|value| *value), 7);
    }
}
