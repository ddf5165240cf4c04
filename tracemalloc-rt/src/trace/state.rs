//! The flags that say for which callers allocations are recorded, and the count of missed blocks.
//!
//! Flags share a word with the number of their changes. A thread remembers the word under which it
//! may take the fast path, so one comparison covers everything that the fast path depends on. All
//! code that changes such a value counts a change. The values are the flags, the settings of walks,
//! the scopes that count their peak, and the level of the view's peak.

use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// For which callers allocations are recorded: [`UNDECIDED`], or any of [`FOR_HARNESS`],
/// [`FOR_PROGRAM`] and [`FOR_CHECKS`]. Without a flag, nothing is recorded.
pub static TRACING: Tracing = Tracing(AtomicUsize::new(UNDECIDED as usize));
/// For `cargo tracemalloc test`.
pub const FOR_HARNESS: u8 = 1;
/// For the program's own view.
pub const FOR_PROGRAM: u8 = 2;
/// The environment has not been read yet; the first allocation reads it.
pub const UNDECIDED: u8 = 4;
/// For checks, which record what is allocated in their scopes.
pub const FOR_CHECKS: u8 = 8;
/// With [`FOR_PROGRAM`]: the view has only some of the blocks.
pub const SAMPLED: u8 = 16;
/// Blocks that could not be recorded because the tracer had no memory for them.
pub static MISSED: AtomicU64 = AtomicU64::new(0);

/// Flags in the lowest byte, and above them the number of changes so far.
pub struct Tracing(AtomicUsize);

/// Flags, and the number of changes before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word(usize);

impl Tracing {
    /// The flags with their number of changes.
    #[inline(always)]
    pub fn word(&self) -> Word {
        Word(self.0.load(Ordering::Relaxed))
    }

    /// As [`word`](Self::word). All that had changed before that number of changes is seen after.
    pub fn word_and_what_it_covers(&self) -> Word {
        Word(self.0.load(Ordering::Acquire))
    }

    /// The flags.
    #[inline(always)]
    pub fn flags(&self) -> u8 {
        self.word().flags()
    }

    /// Sets flags.
    pub fn add(&self, flags: u8) {
        self.change(|old| old | flags);
    }

    /// Clears flags. Returns those that were set before.
    pub fn remove(&self, flags: u8) -> u8 {
        self.change(|old| old & !flags)
    }

    /// Counts a change of something that the fast path depends on.
    pub fn touch(&self) {
        self.change(|old| old);
    }

    fn change(&self, new: impl Fn(u8) -> u8) -> u8 {
        let changed = |word: usize| {
            Some((word & !FLAGS).wrapping_add(FLAGS + 1) | usize::from(new(word as u8)))
        };
        match self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, changed) {
            Ok(old) | Err(old) => old as u8,
        }
    }
}

const FLAGS: usize = u8::MAX as usize;

impl Word {
    /// No word that is ever read while a flag is set.
    pub const NEVER: Self = Self(0);

    /// The flags.
    #[inline(always)]
    pub fn flags(self) -> u8 {
        self.0 as u8
    }
}
