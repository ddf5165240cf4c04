//! A walk that begins with the frames of the last walk.
//!
//! Most allocations have the outer frames of the one before, at the same addresses, with the same
//! words in them. To compare a remembered frame with memory is cheaper than to walk to it, because
//! no load waits for the one before. Every frame is compared, so nothing is assumed. A walk then
//! goes from the innermost frame outwards, as far as the first frame that is remembered and still
//! there.
//!
//! The new frames inside of that frame are mostly a path that came before, too. One look-up, by the
//! caller's context and all new addresses, yields a candidate, and the tree of contexts confirms
//! it. So no load waits for one context after another.

use core::cell::Cell;

use self::compare::{are_there, is_there};
use crate::trace::capture::frame_pointer::{Chain, End, Words, strip};
use crate::trace::contexts::{self, Context};

/// Stacks of at most so many frames are kept whole, and remembered. To cut them would make another
/// path in the tree for each depth of a recursion, which no walk meets again. Of deeper stacks, as
/// many innermost frames are kept as are wanted.
pub const SHORT: usize = if cfg!(test) { 64 } else { 256 };
/// The number of slots for new parts of walks. In tests there are few, so that they collide.
const PATHS: usize = if cfg!(test) { 1 << 4 } else { 1 << 12 };

/// The last walk of one thread. Zeroes are one that remembers nothing.
///
/// This is the innermost loop of tracing. It uses pointers into these arrays, because that takes
/// the fewest instructions.
pub struct LastWalk {
    /// How many frames there were, at most [`SHORT`]; 0 when nothing is remembered.
    len: Cell<usize>,
    /// The reason why there were no more frames.
    end: Cell<End>,
    /// Those frames, outermost first, from 1 on. At 0 is the root, at an address that no frame has.
    /// Behind the frames are some of earlier walks, whose contexts may come again.
    frames: [Cell<Frame>; SHORT + 1],
    /// The frames that a walk finds, innermost first, and then the address of the next one.
    found: [Cell<Found>; SHORT + 1],
    /// Innermost contexts of the new parts of walks, by number, or 0. A slot belongs to a caller's
    /// context and a hash of addresses, and may have the context of another path. See
    /// [`Inside::place`].
    paths: [Cell<u32>; PATHS],
}

#[derive(Clone, Copy)]
struct Found {
    /// The frame pointer.
    at: usize,
    return_address: usize,
}

#[derive(Clone, Copy)]
#[repr(C, align(16))]
struct Frame {
    /// The words that were in memory there.
    words: Words,
    at: usize,
    context: Context,
}

/// The new part of a walk: the frames that it found before it met the last walk.
struct Inside {
    /// The frame that was met.
    met: *const Cell<Frame>,
    /// Behind the last frame that was found. It has the address of the caller's frame.
    end: *const Cell<Found>,
    /// Of the new return addresses.
    hash: u64,
}

/// How to keep stacks.
#[derive(Clone, Copy)]
pub struct Wanted {
    /// How many frames to keep of a stack with more than [`SHORT`]; at most as many.
    pub depth: usize,
    /// Whether those beyond are counted.
    pub counts_all: bool,
    /// The scope that the stack belongs to, or 0.
    pub scope: u32,
}

impl LastWalk {
    /// The context of the innermost frame, if the chain meets the last one and the tree has every
    /// context. Otherwise `None`, and [`full_walk`](Self::full_walk) has to walk. The last walk has
    /// to be of the same scope.
    #[inline(always)]
    pub fn compare_in_place(&self, chain: Chain) -> Option<Context> {
        let inside = self.meet(chain, self.same_frames()?)?;
        // SAFETY: each points to where the other does, or behind it.
        let (outside, new) = unsafe {
            (
                inside.met.offset_from(self.frames.as_ptr()) as usize,
                inside.end.offset_from(self.found.as_ptr()) as usize,
            )
        };
        if outside + new > SHORT {
            return None;
        }
        if new == 0 {
            self.len.set(outside);
            // SAFETY: it points to a remembered frame.
            return Some(unsafe { (*inside.met).get() }.context);
        }
        // SAFETY: frames and what was found are at most `SHORT`, both together too.
        unsafe { self.add(&inside, outside, new) }
    }

    /// The innermost frame up to which all remembered frames, from the outermost on, have the words
    /// that they had. Its function may have returned, if nothing has been written there since. Such
    /// frames are inside of the whole chain.
    #[inline(always)]
    fn same_frames(&self) -> Option<*const Cell<Frame>> {
        let root = self.frames.as_ptr();
        // SAFETY: all pointers are from the root to the innermost remembered frame. The chain has
        // led to all these frames in this thread. So they are in its stack, in memory that it had
        // used, which stays mapped until the thread ends. Their functions may have returned, and
        // other variables may lie there now: see `frame_pointer::load`.
        unsafe {
            let innermost = root.add(self.len.get());
            let mut same = root;
            'comparing: {
                let four_more = innermost.wrapping_sub(3);
                while same < four_more {
                    let more = are_there(same.add(1));
                    if more != 4 {
                        same = same.add(more);
                        break 'comparing;
                    }
                    same = same.add(4);
                }
                while same != innermost && is_there(same.add(1)) {
                    same = same.add(1);
                }
            }
            // The frame that the chain ended at is still there.
            (same != root && self.end.get().still_is()).then_some(same)
        }
    }

    /// Walks until the chain meets the remembered frame `met` or one outside of it.
    #[inline(always)]
    fn meet(&self, chain: Chain, mut met: *const Cell<Frame>) -> Option<Inside> {
        let root = self.frames.as_ptr();
        let mut place = self.found.as_ptr();
        let mut hash = 0;
        let mut at = chain.innermost;
        // SAFETY: `met` points to a remembered frame or to the root, which is at the highest
        // address. The frame at `at` is the innermost one, or one that is aligned and between that
        // and a remembered one. `place` is in `found`.
        unsafe {
            let full = place.add(SHORT);
            let mut meeting = (*met).get().at;
            loop {
                if at >= meeting {
                    while (*met).get().at < at {
                        met = met.sub(1);
                    }
                    meeting = (*met).get().at;
                    if at == meeting {
                        (*place).set(Found { at, return_address: 0 });
                        return Some(Inside { met, end: place, hash });
                    }
                    if met == root {
                        return None;
                    }
                }
                let Words { next, return_address } = Words::at(at);
                if place == full
                    || return_address == 0
                    || next <= at
                    || next % size_of::<usize>() != 0
                {
                    return None;
                }
                (*place).set(Found { at, return_address });
                place = place.add(1);
                hash = (hash ^ return_address as u64).wrapping_mul(0xD6E8_FEB8_6659_FD93);
                at = next;
            }
        }
    }

    /// Adds the new frames inside of the frame that was met. Returns the innermost context. `None`
    /// if the tree has not all contexts; then nothing is remembered.
    ///
    /// # Safety
    ///
    /// `outside` frames go to the one that was met, `new`, more than none, were found, and there
    /// are not more than there is room for.
    #[inline(always)]
    unsafe fn add(&self, inside: &Inside, outside: usize, new: usize) -> Option<Context> {
        self.len.set(0);
        // SAFETY: it points to a frame.
        let caller = unsafe { (*inside.met).get() }.context;
        let path = &self.paths[inside.place(caller)];
        let mut context = Context::numbered(path.get());
        // SAFETY: by the promise of the caller.
        if !unsafe { self.retrace(inside, new, context) } {
            // SAFETY: as above.
            context = unsafe { self.look_up(inside.met, inside.end, Context::known_call) }?;
            path.set(context.number());
        }
        self.len.set(outside + new);
        Some(context)
    }

    /// Adds the new frames inside of the frame that was met, if they are the path from there to
    /// `leaf`. If they are not, returns false, and frames inside of it may have been overwritten.
    ///
    /// # Safety
    ///
    /// That of [`add`](Self::add).
    #[inline(always)]
    unsafe fn retrace(&self, inside: &Inside, new: usize, leaf: Context) -> bool {
        let mut found = self.found.as_ptr();
        let mut context = leaf;
        // SAFETY: by the promise of the caller.
        unsafe {
            let caller_of_all = (*inside.met).get().context;
            let mut place = inside.met.add(new);
            loop {
                let Found { at, return_address } = (*found).get();
                let Some(caller) = context.caller_at(strip(return_address)) else { return false };
                found = found.add(1);
                let next = (*found).get().at;
                (*place).set(Frame { words: Words { next, return_address }, at, context });
                context = caller;
                place = place.sub(1);
                if found == inside.end {
                    return context == caller_of_all;
                }
            }
        }
    }

    /// Adds the new frames of any path. If an earlier walk had another context at this depth,
    /// `call` looks the context up, or makes it. `None` if that returns none.
    ///
    /// # Safety
    ///
    /// That of [`add`](Self::add), but what was met may be the root.
    #[inline(never)]
    unsafe fn look_up(
        &self,
        mut place: *const Cell<Frame>,
        mut found: *const Cell<Found>,
        call: impl Fn(Context, usize) -> Option<Context>,
    ) -> Option<Context> {
        let first = self.found.as_ptr();
        // SAFETY: by the promise of the caller.
        unsafe {
            let mut context = (*place).get().context;
            let mut next = (*found).get().at;
            while found != first {
                found = found.sub(1);
                place = place.add(1);
                let Found { at, return_address } = (*found).get();
                let (known, address) = ((*place).get().context, strip(return_address));
                context = if known.caller_at(address) == Some(context) {
                    known
                } else {
                    call(context, address)?
                };
                (*place).set(Frame { words: Words { next, return_address }, at, context });
                next = at;
            }
            Some(context)
        }
    }

    /// Walks to the end of the chain. Returns the innermost context, and whether there were more
    /// frames than are wanted. `None` if there is no memory for a context.
    #[inline(never)]
    pub fn full_walk(&self, chain: Chain, wanted: Wanted) -> Option<(Context, bool)> {
        self.clear();
        let mut at = chain.innermost;
        // SAFETY: the innermost frame.
        let mut words = unsafe { chain.words(at) };
        let mut new = 0;
        let (next, end) = loop {
            self.found[new].set(Found { at, return_address: words.return_address });
            new += 1;
            let next = words.next;
            match chain.outside(at, next) {
                Ok(outer) => (at, words) = (next, outer),
                Err(end) => break (next, Some(end)),
            }
            if new == SHORT {
                break (at, None);
            }
        };
        self.found[new].set(Found { at: next, return_address: 0 });
        let mut beyond = 0;
        if end.is_none() {
            new = wanted.depth.min(SHORT);
            if wanted.counts_all {
                beyond = chain.count(self.found[new].get().at);
            }
        }
        let (words, context) =
            (Words { next: 0, return_address: 0 }, contexts::root(wanted.scope, beyond as u32)?);
        self.frames[0].set(Frame { words, at: usize::MAX, context });
        let found = self.found.as_ptr().wrapping_add(new);
        // SAFETY: no more than `SHORT` were found.
        let context = unsafe { self.look_up(self.frames.as_ptr(), found, Context::call) }?;
        // A stack that was cut is not remembered, because no walk meets its end.
        if let Some(end) = end {
            self.end.set(end);
            self.len.set(new);
        }
        Some((context, end.is_none()))
    }

    /// Forgets the walk, because another thread takes over, or another scope begins.
    pub fn clear(&self) {
        self.len.set(0);
    }
}

impl Inside {
    /// Its slot in [`LastWalk::paths`].
    #[inline(always)]
    fn place(&self, outside: Context) -> usize {
        ((self.hash >> 40) as u32 ^ outside.number()) as usize % PATHS
    }
}

/// Compares remembered frames with memory, by pairs of words.
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod compare {
    use core::arch::x86_64::{
        __m128i, _mm_cmpeq_epi32, _mm_load_si128, _mm_movemask_epi8, _mm_packs_epi16,
        _mm_packs_epi32,
    };
    use core::cell::Cell;

    use super::Frame;

    /// Whether a frame is where it was, with the words that it had.
    ///
    /// # Safety
    ///
    /// It is a frame, and its address can be read.
    #[inline(always)]
    pub unsafe fn is_there(frame: *const Cell<Frame>) -> bool {
        // SAFETY: by the promise of the caller.
        unsafe { _mm_movemask_epi8(same(frame)) == 0xFFFF }
    }

    /// How many of four frames, from this one on, are where they were before the first that is not.
    /// By four instructions each, and two more.
    ///
    /// # Safety
    ///
    /// There are four, and their addresses can be read.
    #[inline(always)]
    pub unsafe fn are_there(first: *const Cell<Frame>) -> usize {
        // SAFETY: by the promise of the caller.
        let all = unsafe {
            let same = |number| same(first.add(number));
            _mm_packs_epi16(_mm_packs_epi32(same(0), same(1)), _mm_packs_epi32(same(2), same(3)))
        };
        // SAFETY: every x86-64 processor has the instruction.
        let bits = unsafe { _mm_movemask_epi8(all) };
        // Four bits of each.
        if bits == 0xFFFF { 4 } else { bits.trailing_ones() as usize / 4 }
    }

    /// All bits for each half of a word that is as it was.
    #[inline(always)]
    unsafe fn same(frame: *const Cell<Frame>) -> __m128i {
        // SAFETY: by the promise of the caller; a frame begins with its words, and is aligned to
        // them.
        unsafe { _mm_cmpeq_epi32(load_two((*frame).get().at), _mm_load_si128(frame.cast())) }
    }

    /// Reads two words at once, by assembly for the same reasons as
    /// [`load`](super::super::frame_pointer::load).
    #[inline(always)]
    unsafe fn load_two(address: usize) -> __m128i {
        let words: __m128i;
        // SAFETY: reads words that are mapped, by the promise of the caller, and changes nothing.
        unsafe {
            core::arch::asm!(
                "movdqu {}, [{}]", lateout(xmm_reg) words, in(reg) address,
                options(pure, readonly, nostack, preserves_flags)
            );
        }
        words
    }
}

/// Compares remembered frames with memory, one by one.
#[cfg(not(all(target_arch = "x86_64", not(miri))))]
mod compare {
    use core::cell::Cell;

    use super::{Frame, Words};

    /// Whether a frame is where it was, with the words that it had.
    ///
    /// # Safety
    ///
    /// It is a frame, and its address can be read.
    #[inline(always)]
    pub unsafe fn is_there(frame: *const Cell<Frame>) -> bool {
        // SAFETY: by the promise of the caller.
        let (frame, now) = unsafe { ((*frame).get(), Words::at((*frame).get().at)) };
        now.next == frame.words.next && now.return_address == frame.words.return_address
    }

    /// How many of four frames, from this one on, are where they were before the first that is not.
    ///
    /// # Safety
    ///
    /// There are four, and their addresses can be read.
    #[inline(always)]
    pub unsafe fn are_there(first: *const Cell<Frame>) -> usize {
        // SAFETY: by the promise of the caller.
        (0..4).take_while(|number| unsafe { is_there(first.add(*number)) }).count()
    }
}

#[cfg(test)]
mod tests {
    use super::super::frame_pointer::{Bounds, Here};
    use super::*;
    use crate::util::numbers::Numbers;

    /// A made-up stack: frames are at words of it, the outermost at the highest.
    struct Stack {
        words: Vec<Cell<usize>>,
        frames: Vec<usize>,
    }

    impl Stack {
        fn new() -> Self {
            let words = vec![Cell::new(0); 4096];
            let frames = vec![words.len() - 4];
            Self { words, frames }
        }

        fn address(&self, index: usize) -> usize {
            self.words.as_ptr().wrapping_add(index).expose_provenance()
        }

        /// The innermost function calls another.
        fn call(&mut self, return_address: usize, size: usize) {
            let caller = *self.frames.last().expect("one is never popped");
            let frame = caller - 2 - size;
            self.words[frame].set(self.address(caller));
            self.words[frame + 1].set(return_address);
            self.frames.push(frame);
        }

        /// The innermost function returns; the words that it has written stay.
        fn leave(&mut self) {
            if self.frames.len() > 1 {
                self.frames.pop();
            }
        }

        fn chain(&self) -> Chain {
            let innermost = self.address(*self.frames.last().expect("one is never popped"));
            let bounds = (self.address(0), self.address(self.words.len()));
            Chain::from(Here { frame: innermost, top: innermost, address: 0 }, Bounds::from(bounds))
                .expect("it is inside")
        }
    }

    fn nothing_remembered() -> Box<LastWalk> {
        // SAFETY: zeroes are one that remembers nothing.
        unsafe { Box::new_zeroed().assume_init() }
    }

    #[test]
    fn the_last_walk_never_changes_the_result_of_the_next_one() {
        let (mut stack, mut numbers) = (Stack::new(), Numbers(1));
        let remembering = nothing_remembered();
        let (mut met, mut cut) = (0, 0);
        let rounds = if cfg!(miri) { 300 } else { 30_000 };
        for _ in 0..rounds {
            for _ in 0..numbers.below(6) {
                // Mostly deeper below 60 frames, and mostly shallower above.
                if numbers.below(2 * (SHORT - 4)) < stack.frames.len() {
                    stack.leave();
                } else {
                    stack.call(0x1000 + numbers.below(3), 2 * numbers.below(3));
                }
            }
            // Now and then the chain ends in another way.
            let outermost = stack.frames[0];
            if numbers.below(50) == 0 {
                stack.words[outermost + 1].set(numbers.below(2) * 0xE000);
                stack.words[outermost].set([0, 1, stack.address(outermost)][numbers.below(3)]);
            }
            let wanted = Wanted {
                depth: 30 + numbers.below(20),
                counts_all: numbers.below(2) == 0,
                scope: 0,
            };
            let chain = stack.chain();
            let again = remembering.compare_in_place(chain).map(|context| (context, false));
            met += usize::from(again.is_some());
            let found = again.or_else(|| remembering.full_walk(chain, wanted));
            assert_eq!(found, nothing_remembered().full_walk(chain, wanted));
            let (context, is_cut) = found.expect("there is memory");
            let frames = stack.frames.len()
                - usize::from(stack.words[outermost + 1].get() == 0).min(stack.frames.len() - 1);
            let kept = if frames > SHORT { wanted.depth } else { frames };
            assert_eq!((context.addresses().count(), is_cut), (kept, frames > SHORT));
            cut += usize::from(is_cut);
        }
        assert!(met > rounds / 6 && cut > rounds / 20, "{met} {cut}");
    }
}
