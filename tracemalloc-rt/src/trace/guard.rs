//! The guard of a thread: while it is held, blocks that C allocates are not recorded.
//!
//! It keeps the tracer from waiting for itself. The tracer's own work may allocate by C, an inner
//! allocator may be built on C's, and a thread that forks holds every lock. Where C's blocks are
//! not traced, the guard does nothing.

use core::cell::Cell;
use core::marker::PhantomData;

const IS_NEEDED: bool = cfg!(all(
    feature = "c-malloc",
    target_os = "linux",
    target_env = "gnu",
    target_arch = "x86_64",
    not(miri)
));

thread_local! {
    // As in `trace/thread.rs`: such a thread-local works from the first instruction to the last.
    static HELD: Cell<u32> = const { Cell::new(0) };
}

/// The guard of the current thread, held until the value is dropped.
pub struct Guard {
    not_send: PhantomData<*const ()>,
}

impl Guard {
    /// Holds the guard, whether it is held already or not.
    #[inline(always)]
    pub fn hold() -> Self {
        hold();
        Self { not_send: PhantomData }
    }

    /// As [`hold`](Self::hold), or `None` if the guard is held already.
    #[cfg(all(
        feature = "c-malloc",
        target_os = "linux",
        target_env = "gnu",
        target_arch = "x86_64",
        not(miri)
    ))]
    #[inline(always)]
    pub fn enter() -> Option<Self> {
        (HELD.with(Cell::get) == 0).then(Self::hold)
    }
}

impl Drop for Guard {
    #[inline(always)]
    fn drop(&mut self) {
        let_go();
    }
}

/// Holds the guard until as many calls of [`let_go`].
#[inline(always)]
pub fn hold() {
    if IS_NEEDED {
        HELD.with(|held| held.set(held.get() + 1));
    }
}

/// Ends a call of [`hold`].
#[inline(always)]
pub fn let_go() {
    if IS_NEEDED {
        HELD.with(|held| held.set(held.get().wrapping_sub(1)));
    }
}
