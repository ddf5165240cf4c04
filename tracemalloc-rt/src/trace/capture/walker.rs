//! The walker of one thread, which captures the thread's stacks.
//!
//! It has the bounds of the stack, the last walk, and room for long stacks. It also says where the
//! thread's allocations belong: to a scope, or to nothing that counts while the walker is paused.

use core::cell::Cell;
use core::mem::MaybeUninit;

use crate::os::memory;
use crate::trace::capture::captured::Captured;
use crate::trace::capture::frame_pointer::{Bounds, Chain, Here, strip};
use crate::trace::capture::last_walk::{LastWalk, SHORT, Wanted};
use crate::trace::capture::rule_walk;
use crate::trace::capture::settings::{Settings, Walk};
use crate::trace::capture::unwind;
use crate::trace::contexts::Context;
use crate::trace::stack_id::{MAX_DEPTH, StackId};
use crate::trace::state::Word;

/// How many outermost frames, those of the C library, may be missing from a chain of frame pointers
/// that is not broken.
pub const OUTERMOST: usize = 3;

/// Captures the stacks of one thread. Zeroes are a walker that remembers nothing.
#[repr(C)]
pub struct Walker {
    /// The word under which allocations may take the fast path.
    ready: Cell<Word>,
    /// Whether the chains of fast walks have to be whole.
    only_whole: Cell<bool>,
    paused: Cell<u32>,
    /// The scope that allocations belong to, or 0.
    scope: Cell<u32>,
    /// Room for long stacks. It is made for the first one.
    room: Cell<*mut MaybeUninit<usize>>,
    /// The part of the thread's stack that walks may see.
    pub bounds: Cell<Bounds>,
    last_walk: LastWalk,
}

/// The id of the stack that leads to the function `root`, for a thread that has given its walker
/// back. See [`Walker::stack_id`].
pub fn stack_id_without_walker(
    bounds: (usize, usize),
    here: Here,
    root: *const (),
) -> Option<StackId> {
    stack_id(None, Bounds::from(bounds), here, root)
}

impl Walker {
    /// Takes over for another thread, whose stack has these bounds.
    pub fn reset(&self, bounds: (usize, usize)) {
        self.ready.set(Word::NEVER);
        self.paused.set(0);
        self.scope.set(0);
        self.set_bounds(bounds);
    }

    /// Whether the thread's allocations may take the fast path: nothing that it depends on has
    /// changed since [`get_ready`](Self::get_ready).
    #[inline(always)]
    pub fn is_ready(&self, word: Word) -> bool {
        self.ready.get() == word
    }

    /// Opens the fast path as long as this word stands, unless walks are slow ones or do not count.
    /// The caller has read the word before all that it covers.
    pub fn get_ready(&self, word: Word) {
        let settings = Settings::now();
        if !self.is_paused() && settings.short_by_frame_pointers() {
            self.only_whole.set(settings.walk() == Walk::Either);
            self.ready.set(word);
        }
    }

    /// Whether the thread's allocations are left out now.
    #[inline(always)]
    pub fn is_paused(&self) -> bool {
        self.paused.get() != 0
    }

    /// Leaves out what the thread allocates until as many calls of [`resume`](Self::resume).
    pub fn pause(&self) {
        self.paused.set(self.paused.get() + 1);
        self.ready.set(Word::NEVER);
    }

    pub fn resume(&self) {
        self.paused.set(self.paused.get().saturating_sub(1));
    }

    /// The scope that allocations belong to, or 0.
    #[inline(always)]
    pub fn scope(&self) -> u32 {
        self.scope.get()
    }

    /// Moves allocations to another scope, or to none (0). Returns the one before.
    pub fn enter_scope(&self, number: u32) -> u32 {
        self.last_walk.clear();
        self.scope.replace(number)
    }

    /// Sets the part of the thread's stack that walks may see. Forgets the last walk, which may
    /// have ended elsewhere.
    pub fn set_bounds(&self, bounds: (usize, usize)) {
        self.bounds.set(Bounds::from(bounds));
        self.last_walk.clear();
    }

    /// The id of the stack that leads to the function `root`, whose frame is `here`. That function
    /// is never inlined. `None` if there was no memory for the stack.
    pub fn stack_id(&self, here: Here, root: *const ()) -> Option<StackId> {
        stack_id(Some(self), self.bounds.get(), here, root)
    }

    /// The fast path of [`stack_id`](Self::stack_id), for walkers that are ready. The chain of
    /// frame pointers meets that of the last walk, and is whole if it has to be. Otherwise `None`.
    /// `ANY` is false if no chain has to.
    #[inline(always)]
    pub fn known_stack_id<const ANY: bool>(&self, here: Here) -> Option<StackId> {
        let chain = Chain::from(here, self.bounds.get())?;
        let context = self.last_walk.compare_in_place(chain)?;
        if ANY && self.only_whole.get() && context.is_whole_chain() != Some(true) {
            return None;
        }
        Some(context.stack_id())
    }

    /// Room for a stack of so many frames, at most [`MAX_DEPTH`]. Each call returns the same room,
    /// for one stack at a time.
    #[expect(
        clippy::mut_from_ref,
        reason = "a thread captures one stack at a time, and does not come here meanwhile"
    )]
    fn room(&self, depth: usize) -> Option<&mut [MaybeUninit<usize>]> {
        if self.room.get().is_null() {
            let room = memory::reserve(MAX_DEPTH * size_of::<usize>())?;
            self.room.set(room.as_ptr().cast());
        }
        // SAFETY: there is room for MAX_DEPTH addresses, which is never unmapped, and only this
        // thread comes here. It captures one stack at a time: what the unwinder allocates
        // meanwhile is not traced, and a signal's handler may not allocate.
        Some(unsafe { core::slice::from_raw_parts_mut(self.room.get(), depth.min(MAX_DEPTH)) })
    }
}

fn stack_id(
    walker: Option<&Walker>,
    bounds: Bounds,
    here: Here,
    root: *const (),
) -> Option<StackId> {
    let settings = Settings::now();
    let chain = match settings.walk() {
        Walk::Unwind => None,
        // The register of a function without a frame pointer may look like a chain by chance.
        Walk::Either if !rule_walk::keeps_frame_pointer(here) => None,
        Walk::Either | Walk::FramePointers => Chain::from(here, bounds),
    };
    let by_tables = || unwound(settings, walker, bounds, here, root);
    let Some(chain) = chain else { return by_tables() };
    let (context, is_cut) = by_chain(settings, walker, chain)?;
    if settings.walk() == Walk::FramePointers {
        return Some(context.stack_id());
    }
    // A chain that is new is compared once.
    let is_whole = context.is_whole_chain().unwrap_or_else(|| {
        let by_rules = rule_walk::agrees(context, is_cut, bounds, here, OUTERMOST);
        let agrees = by_rules.unwrap_or_else(|| {
            let chain = context.addresses();
            while_paused(walker, || unwind::agrees(chain, root, is_cut, OUTERMOST))
        });
        context.set_whole_chain(agrees);
        agrees
    });
    if is_whole { Some(context.stack_id()) } else { by_tables() }
}

/// The context of a chain's innermost frame, and whether the chain has more frames than are kept.
#[inline(always)]
pub fn by_chain(
    settings: Settings,
    walker: Option<&Walker>,
    chain: Chain,
) -> Option<(Context, bool)> {
    match walker {
        Some(walker) if settings.depth() <= SHORT => {
            let (depth, counts_all) = (settings.depth(), settings.counts_all());
            let compare = || walker.last_walk.compare_in_place(chain);
            match settings.remembers().then(compare).flatten() {
                Some(context) => Some((context, false)),
                None => walker
                    .last_walk
                    .full_walk(chain, Wanted { depth, counts_all, scope: walker.scope() }),
            }
        }
        _ => walk_all(settings, walker, chain),
    }
}

/// A walk that remembers nothing.
#[inline(never)]
fn walk_all(settings: Settings, walker: Option<&Walker>, chain: Chain) -> Option<(Context, bool)> {
    with_room(settings, settings.depth(), walker, |captured| {
        let mut at = chain.innermost;
        // SAFETY: the innermost frame.
        let mut words = unsafe { chain.words(at) };
        while captured.push(strip(words.return_address)) {
            let Ok(outer) = chain.outside(at, words.next) else { break };
            (at, words) = (words.next, outer);
        }
        Some((captured.context()?, captured.is_cut()))
    })
}

/// The id of the stack by unwind tables: by rules, or by the unwinder.
#[inline(never)]
fn unwound(
    settings: Settings,
    walker: Option<&Walker>,
    bounds: Bounds,
    here: Here,
    root: *const (),
) -> Option<StackId> {
    with_room(settings, settings.depth(), walker, |captured| {
        if !rule_walk::capture(captured, bounds, here) {
            captured.clear();
            while_paused(walker, || unwind::walk(captured, root));
        }
        captured.context().map(Context::stack_id)
    })
}

/// Unwinds. The unwinder may allocate, and what it allocates does not count.
fn while_paused<R>(walker: Option<&Walker>, unwind: impl FnOnce() -> R) -> R {
    if let Some(walker) = walker {
        walker.pause();
    }
    let unwound = unwind();
    if let Some(walker) = walker {
        walker.resume();
    }
    unwound
}

/// Room for a stack of so many frames, on the stack itself while it is short.
#[inline(always)]
pub fn with_room<R>(
    settings: Settings,
    depth: usize,
    walker: Option<&Walker>,
    use_it: impl FnOnce(&mut Captured) -> R,
) -> R {
    let mut short = [const { MaybeUninit::uninit() }; SHORT];
    let mut room = short.as_mut_slice();
    let deep = walker.filter(|_| depth > SHORT);
    if let Some(long) = deep.and_then(|walker| walker.room(depth)) {
        room = long;
    }
    let depth = depth.min(room.len());
    let scope = walker.map_or(0, Walker::scope);
    use_it(&mut Captured::new(&mut room[..depth], settings.counts_all(), scope))
}
