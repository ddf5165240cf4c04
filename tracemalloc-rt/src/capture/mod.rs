//! The return addresses of the current call, innermost first.

mod frame_pointer;
mod unwind;

use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use crate::stacks::{MAX_DEPTH, StackHash};

/// How stacks are walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walk {
    /// By the chain of frame pointers: fast, and complete where the code was built with
    /// `-C force-frame-pointers=yes`.
    FramePointers,
    /// By unwind tables, through the `backtrace` crate: works for any code, and is some hundred times slower.
    Unwind,
}

static WALK: AtomicU8 = AtomicU8::new(0);
static DEPTH: AtomicUsize = AtomicUsize::new(MAX_DEPTH);

/// A stack as it was captured: return addresses and their hash.
pub struct Captured {
    addresses: [core::mem::MaybeUninit<usize>; MAX_DEPTH],
    len: usize,
    hash: StackHash,
}

/// Says how stacks are walked from now on, and how many physical frames are kept, at most [`MAX_DEPTH`].
pub fn configure(walk: Walk, depth: usize) {
    WALK.store(u8::from(walk == Walk::Unwind), Ordering::Relaxed);
    DEPTH.store(depth.clamp(1, MAX_DEPTH), Ordering::Relaxed);
}

impl Captured {
    /// The stack of the caller.
    #[inline(always)]
    pub fn here() -> Self {
        let mut captured =
            Self { addresses: [const { core::mem::MaybeUninit::uninit() }; MAX_DEPTH], len: 0, hash: StackHash::new() };
        let depth = DEPTH.load(Ordering::Relaxed);
        if WALK.load(Ordering::Relaxed) != 0 || !frame_pointer::walk(depth, &mut captured) {
            captured.len = 0;
            captured.hash = StackHash::new();
            unwind::walk(depth, &mut captured);
        }
        captured
    }

    /// Return addresses, innermost first.
    #[inline(always)]
    pub fn addresses(&self) -> &[usize] {
        // SAFETY: `push` has written the first `len` entries.
        unsafe { core::slice::from_raw_parts(self.addresses.as_ptr().cast::<usize>(), self.len) }
    }

    /// Their hash, for [`stacks::intern`](crate::stacks::intern).
    #[inline(always)]
    pub fn hash(&self) -> u64 {
        self.hash.finish()
    }

    /// Adds the next outer frame; what is beyond the capacity is dropped.
    #[inline(always)]
    fn push(&mut self, address: usize) {
        if let Some(place) = self.addresses.get_mut(self.len) {
            place.write(address);
            self.len += 1;
            self.hash.add(address);
        }
    }
}
