//! The return addresses of the current call, innermost first.

mod frame_pointer;
mod last_walk;
mod unwind;

use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU64, Ordering};

pub use self::frame_pointer::{Bounds, Here};
use self::frame_pointer::{Chain, strip};
pub use self::last_walk::LastWalk;
use self::last_walk::{SHORT, Wanted};
use crate::trace::contexts::{self, Context};
use crate::trace::stack_id::{MAX_DEPTH, StackId};
use crate::trace::thread::{self, Thread};

/// How stacks are walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Walk {
    /// By the chain of frame pointers: fast, and complete where the code was built with
    /// `-C force-frame-pointers=yes`.
    FramePointers,
    /// By unwind tables, through the `backtrace` crate: works for any code, and is some hundred
    /// times slower.
    Unwind,
    /// By the chain of frame pointers where it proved complete, by unwind tables where it did not:
    /// for code of which nothing is known. Each chain is tried once.
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

    /// Whether short stacks are walked by frame pointers, and no more of them is wanted.
    #[inline(always)]
    fn short_by_frame_pointers(self) -> bool {
        // All else is 0 then.
        const _: () = assert!(Walk::FramePointers as u64 == 0);
        self.0 <= SHORT as u64
    }

    /// Whether frames beyond those that are kept are counted.
    fn counts_all(self) -> bool {
        self.0 >> 40 != 0
    }
}

/// Says how stacks are walked from now on, how many physical frames are kept, at most
/// [`MAX_DEPTH`], and whether those beyond are counted. Of stacks that a walk remembers, up to
/// [`SHORT`] frames, all are kept.
pub fn configure(walk: Walk, depth: usize, counts_all: bool) {
    SETTINGS.store(Settings::new(walk, depth.clamp(1, MAX_DEPTH), counts_all).0, Ordering::Relaxed);
}

/// How many outermost frames, those of the C library, may be missing from a chain of frame pointers
/// that is not broken.
const OUTERMOST: usize = 3;

/// The id of the stack that leads to the function `root`, which is never inlined, and whose frame
/// `here` is. `None` where it could not be kept. `thread` is the current one, if it is registered.
pub fn stack_id(thread: Option<&Thread>, here: Here, root: *const ()) -> Option<StackId> {
    let settings = Settings(SETTINGS.load(Ordering::Relaxed));
    if settings.walk() != Walk::Unwind
        && let bounds =
            thread.map_or_else(|| Bounds::from(thread::stack_bounds()), Thread::stack_bounds)
        && let Some(chain) = Chain::from(here, bounds)
    {
        let (context, is_cut) = match thread {
            Some(thread) if settings.depth() <= SHORT => {
                let (depth, counts_all) = (settings.depth(), settings.counts_all());
                match thread.last_walk.again(chain) {
                    Some(context) => (context, false),
                    None => thread
                        .last_walk
                        .anew(chain, Wanted { depth, counts_all, scope: thread.scope() })?,
                }
            }
            _ => walk_all(settings, thread, chain)?,
        };
        if settings.walk() == Walk::FramePointers {
            return Some(StackId::of(context));
        }
        return either(settings, thread, root, context, is_cut);
    }
    unwound(settings, thread, root)
}

/// As [`stack_id`] in the common case: the chain of frame pointers meets that of the last walk.
/// Otherwise `None`.
#[inline(always)]
pub fn stack_id_again(thread: &Thread, here: Here) -> Option<StackId> {
    let settings = Settings(SETTINGS.load(Ordering::Relaxed));
    if !settings.short_by_frame_pointers() {
        return None;
    }
    let chain = Chain::from(here, thread.stack_bounds())?;
    thread.last_walk.again(chain).map(StackId::of)
}

/// A walk that remembers nothing.
#[inline(never)]
fn walk_all(settings: Settings, thread: Option<&Thread>, chain: Chain) -> Option<(Context, bool)> {
    with_room(settings, thread, |captured| {
        let mut at = chain.innermost;
        // SAFETY: the innermost frame.
        let mut words = unsafe { chain.words(at) };
        while captured.push(strip(words.return_address)) {
            let Ok(outer) = chain.outside(at, words.next) else { break };
            (at, words) = (words.next, outer);
        }
        Some((captured.context()?, captured.is_cut))
    })
}

/// The id of the stack as unwind tables tell it.
#[inline(never)]
fn unwound(settings: Settings, thread: Option<&Thread>, root: *const ()) -> Option<StackId> {
    with_room(settings, thread, |captured| {
        unwind::walk(captured, root);
        captured.context().map(StackId::of)
    })
}

/// The id of the stack whose chain of frame pointers this is: of the chain itself, if it is known
/// to be whole; or of what the unwinder says.
#[inline(never)]
fn either(
    settings: Settings,
    thread: Option<&Thread>,
    root: *const (),
    chain: Context,
    is_cut: bool,
) -> Option<StackId> {
    let is_whole = chain.is_whole_chain().unwrap_or_else(|| {
        let agrees = unwind::agrees(chain.addresses(), root, is_cut, OUTERMOST);
        chain.set_whole_chain(agrees);
        agrees
    });
    if is_whole { Some(StackId::of(chain)) } else { unwound(settings, thread, root) }
}

/// Room for a stack, on the stack itself while it is short.
#[inline(always)]
fn with_room<R>(
    settings: Settings,
    thread: Option<&Thread>,
    use_it: impl FnOnce(&mut Captured) -> R,
) -> R {
    let mut short = [const { MaybeUninit::uninit() }; SHORT];
    let mut room = short.as_mut_slice();
    if settings.depth() > SHORT
        && let Some(long) = thread.and_then(|thread| thread.room(settings.depth()))
    {
        room = long;
    }
    let depth = settings.depth().min(room.len());
    use_it(&mut Captured {
        room: &mut room[..depth],
        len: 0,
        beyond: 0,
        is_cut: false,
        counts_all: settings.counts_all(),
        scope: thread.map_or(0, Thread::scope),
    })
}

/// A stack while it is captured.
struct Captured<'a> {
    /// Room for as many as are kept, innermost first.
    room: &'a mut [MaybeUninit<usize>],
    len: usize,
    /// How many more there are, where that is wanted.
    beyond: usize,
    is_cut: bool,
    counts_all: bool,
    scope: u32,
}

impl Captured<'_> {
    fn clear(&mut self) {
        (self.len, self.beyond, self.is_cut) = (0, 0, false);
    }

    /// Adds the next outer frame, or counts it. False when no more are wanted.
    fn push(&mut self, address: usize) -> bool {
        if let Some(place) = self.room.get_mut(self.len) {
            place.write(address);
            self.len += 1;
            return true;
        }
        self.is_cut = true;
        self.beyond += usize::from(self.counts_all);
        self.counts_all
    }

    /// The context of the innermost frame. `None` when there is no memory for it.
    fn context(&self) -> Option<Context> {
        // SAFETY: `push` has written the first `len` entries.
        let addresses =
            unsafe { core::slice::from_raw_parts(self.room.as_ptr().cast::<usize>(), self.len) };
        let root = contexts::root(self.scope, self.beyond as u32)?;
        addresses.iter().rev().try_fold(root, |context, address| context.call(*address))
    }
}
