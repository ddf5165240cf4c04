//! The return addresses of the current call, innermost first.

mod frame_pointer;
mod unwind;

use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::stacks::{self, MAX_DEPTH, StackHash, StackId, Walked};
use crate::thread::Thread;

/// How stacks are walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walk {
    /// By the chain of frame pointers: fast, and complete where the code was built with
    /// `-C force-frame-pointers=yes`.
    FramePointers,
    /// By unwind tables, through the `backtrace` crate: works for any code, and is some hundred times slower.
    Unwind,
    /// By the chain of frame pointers where it proved complete, by unwind tables where it did not: for code of which
    /// nothing is known. Each chain is tried once.
    Either,
}

/// What has been configured, in one word, so that one load tells all of it.
#[derive(Clone, Copy)]
struct Settings(u64);

static SETTINGS: AtomicU64 = AtomicU64::new(Settings::new(Walk::FramePointers, 1, false).0);

impl Settings {
    const fn new(walk: Walk, depth: usize, counts_all: bool) -> Self {
        Self(depth as u64 | (walk as u64) << 32 | (counts_all as u64) << 40)
    }

    fn depth(self) -> usize {
        self.0 as u32 as usize
    }

    fn walk(self) -> Walk {
        match self.0 >> 32 & 0xFF {
            0 => Walk::FramePointers,
            1 => Walk::Unwind,
            _ => Walk::Either,
        }
    }

    /// Whether frames beyond those that are kept are counted.
    fn counts_all(self) -> bool {
        self.0 >> 40 != 0
    }
}

/// Says how stacks are walked from now on, how many physical frames are kept, at most [`MAX_DEPTH`], and whether those
/// beyond are counted.
pub fn configure(walk: Walk, depth: usize, counts_all: bool) {
    SETTINGS.store(Settings::new(walk, depth.clamp(1, MAX_DEPTH), counts_all).0, Ordering::Relaxed);
}

/// So many frames have room on the stack itself.
const SHORT: usize = 256;
/// How many outermost frames, those of the C library, may be missing from a chain of frame pointers that is not broken.
const OUTERMOST: usize = 3;

/// The id of the stack that leads to the function `root`, which is never inlined, and which this is inlined into. `None` where it
/// could not be kept. `thread` is the current one, if it is registered.
#[inline(always)]
pub fn stack_id(thread: Option<&Thread>, root: *const ()) -> Option<StackId> {
    let settings = Settings(SETTINGS.load(Ordering::Relaxed));
    let mut room = [const { MaybeUninit::uninit() }; SHORT];
    if settings.depth() > SHORT
        && let Some(room) = thread.and_then(|thread| thread.room(settings.depth()))
    {
        return walk(settings, thread, root, room);
    }
    walk(settings, thread, root, &mut room)
}

#[inline(always)]
fn walk(
    settings: Settings,
    thread: Option<&Thread>,
    root: *const (),
    room: &mut [MaybeUninit<usize>],
) -> Option<StackId> {
    let mut captured = Captured::new(settings, thread.map_or(0, Thread::scope), room);
    if settings.walk() == Walk::Unwind || !frame_pointer::walk(&mut captured) {
        captured.clear();
        unwind::walk(&mut captured, root);
    } else if settings.walk() == Walk::Either {
        return either(captured, thread, root);
    }
    let walked = captured.walked();
    match thread {
        Some(thread) => thread.cached(walked, || stacks::intern(walked)),
        None => stacks::intern(walked),
    }
}

/// The id of the stack whose chain of frame pointers this is: of the chain itself, if it is known to be whole; or of what
/// the unwinder says.
#[inline(never)]
fn either(mut chain: Captured, thread: Option<&Thread>, root: *const ()) -> Option<StackId> {
    let walked = chain.walked();
    let whole = || {
        // A chain that is known as a stack was found whole when it came for the first time.
        stacks::find(walked).or_else(|| {
            if stacks::is_broken(walked) {
                return None;
            }
            if unwind::agrees(walked.addresses, root, chain.is_cut(), OUTERMOST) {
                return stacks::intern(walked);
            }
            stacks::remember_broken(walked);
            None
        })
    };
    let known = match thread {
        Some(thread) => thread.cached(walked, whole),
        None => whole(),
    };
    known.or_else(|| {
        chain.clear();
        unwind::walk(&mut chain, root);
        stacks::intern(chain.walked())
    })
}

/// A stack while it is captured.
struct Captured<'a> {
    /// Room for as many as are kept.
    room: &'a mut [MaybeUninit<usize>],
    len: usize,
    /// How many more there are.
    beyond: usize,
    counts_all: bool,
    scope: u32,
    hash: StackHash,
}

impl<'a> Captured<'a> {
    #[inline(always)]
    fn new(settings: Settings, scope: u32, room: &'a mut [MaybeUninit<usize>]) -> Self {
        let depth = settings.depth().min(room.len());
        let room = &mut room[..depth];
        Self { room, len: 0, beyond: 0, counts_all: settings.counts_all(), scope, hash: StackHash::new() }
    }

    fn clear(&mut self) {
        (self.len, self.beyond, self.hash) = (0, 0, StackHash::new());
    }

    /// The stack of the caller, as it was walked.
    #[inline(always)]
    fn walked(&self) -> Walked<'_> {
        // SAFETY: `push` has written the first `len` entries.
        let addresses = unsafe { core::slice::from_raw_parts(self.room.as_ptr().cast::<usize>(), self.len) };
        let mut hash = self.hash;
        if self.is_cut() {
            hash.add(self.beyond);
        }
        if self.scope != 0 {
            hash.add(self.scope as usize);
        }
        Walked { addresses, total: (self.len + self.beyond) as u32, scope: self.scope, hash: hash.finish() }
    }

    /// Whether there are more frames than were kept.
    #[inline(always)]
    fn is_cut(&self) -> bool {
        self.beyond > 0
    }

    /// Adds the next outer frame, or counts it. False when no more are wanted.
    #[inline(always)]
    fn push(&mut self, address: usize) -> bool {
        match self.room.get_mut(self.len) {
            Some(place) => {
                place.write(address);
                self.len += 1;
                self.hash.add(address);
                self.len < self.room.len() || self.counts_all
            }
            None => {
                self.beyond += 1;
                true
            }
        }
    }
}
