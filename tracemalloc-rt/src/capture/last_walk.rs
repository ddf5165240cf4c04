//! A walk that remembers the last one.
//!
//! A program that allocates mostly comes from where it has just come from: the outer frames are those of the last walk,
//! at the same addresses, with the same words in them. To compare a remembered frame with memory is cheaper than to walk to it,
//! because no load waits for the one before; and as every frame is compared, nothing is assumed. So a walk goes
//! from the innermost frame outwards only as far as the first frame that is remembered and still there, and looks up
//! only the contexts inside of it.

use core::cell::Cell;

use super::frame_pointer::{Chain, End, Words, strip};
use crate::contexts::{self, Context};

/// No deeper walks are remembered.
pub const SHORT: usize = 128;

/// What one thread remembers. Zeroes remember nothing.
///
/// This is the innermost loop of tracing, and is written for few instructions: by pointers into these arrays.
pub struct LastWalk {
    /// How many frames there were, at most [`SHORT`]; 0 when nothing is remembered.
    len: Cell<usize>,
    /// Why there were no more frames.
    end: Cell<End>,
    /// Those frames, outermost first, from 1 on. In front of them the root, which is at no address that a frame is at. Behind
    /// them some of walks before, which still know what their callers call.
    frames: [Cell<Frame>; SHORT + 1],
    /// Frames as they are found, innermost first.
    found: [Cell<Found>; SHORT],
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
    /// What was in memory there.
    words: Words,
    at: usize,
    caller: Context,
    /// What the caller calls by the return address.
    context: Context,
}

/// How stacks are to be kept.
#[derive(Clone, Copy)]
pub struct Wanted {
    /// The most frames, at most [`SHORT`].
    pub depth: usize,
    /// Whether those beyond are counted.
    pub counts_all: bool,
    /// The scope that the stack belongs to, or 0.
    pub scope: u32,
}

impl LastWalk {
    /// The context of the innermost frame, where the chain meets the last one, and every context is there already. Otherwise
    /// `None`: then [`anew`](Self::anew) tells. What is remembered has to be of the same scope, and `depth` at most [`SHORT`].
    #[inline(always)]
    pub fn again(&self, chain: Chain, depth: usize) -> Option<Context> {
        let same = self.same_frames(chain)?;
        let (same, found) = self.meet(chain, same, depth)?;
        let outside = self.frame(same).get().at;
        self.step(same, found, outside, Context::find)
    }

    /// The frame of this number, at most `SHORT`.
    #[inline(always)]
    fn frame(&self, number: usize) -> &Cell<Frame> {
        debug_assert!(number <= SHORT);
        // SAFETY: there are `SHORT + 1` frames.
        unsafe { &*self.frames.as_ptr().add(number) }
    }

    /// The innermost one of those remembered frames that are still there; 0 is the root.
    #[inline(always)]
    fn same_frames(&self, chain: Chain) -> Option<usize> {
        let len = self.len.get();
        if len == 0 {
            return None;
        }
        let mut alive = len;
        while self.frame(alive).get().at < chain.innermost {
            // The root ends this: it is at no address below the innermost frame.
            alive -= 1;
        }
        let mut same = 0;
        // SAFETY: the chain has led to all these frames in this thread, and they are not below its innermost frame.
        unsafe {
            while alive - same >= 4 && are_there(self.frames.as_ptr().add(same + 1)) {
                same += 4;
            }
            while same != alive && is_there(self.frame(same + 1).get()) {
                same += 1;
            }
            // The frame that the chain ended at is still there.
            (same != 0 && self.end.get().still_is()).then_some(same)
        }
    }

    /// Walks until the chain meets one of the first `same` frames: which one, and how many were found before.
    #[inline(always)]
    fn meet(&self, chain: Chain, mut same: usize, depth: usize) -> Option<(usize, usize)> {
        let mut meeting = self.frame(same).get().at;
        let mut at = chain.innermost;
        // SAFETY: the innermost frame.
        let mut words = unsafe { chain.words(at) };
        let first = self.found.as_ptr();
        // SAFETY: there is room for `SHORT`, and `depth` is no more.
        let (mut place, full) = (first, unsafe { first.add(depth.min(SHORT)) });
        loop {
            if at >= meeting {
                // The root is at the highest address.
                while self.frame(same).get().at < at {
                    same -= 1;
                }
                meeting = self.frame(same).get().at;
                if at == meeting {
                    // SAFETY: both point into `found`, the first to its beginning.
                    let found = unsafe { place.offset_from_unsigned(first) };
                    return (same + found <= depth).then_some((same, found));
                }
            }
            if place == full {
                return None;
            }
            // SAFETY: `place` is before the end of what there is room for.
            unsafe {
                (*place).set(Found { at, return_address: words.return_address });
                place = place.add(1);
            }
            let next = words.next;
            words = chain.outside(at, next).ok()?;
            at = next;
        }
    }

    /// Puts the first `found` frames, which were found innermost first, inside of the first `same` ones, of which the innermost is at
    /// `outside`. Tells the innermost context; `None` where `call` has none for a return address in its caller.
    #[inline(always)]
    fn step(
        &self,
        same: usize,
        found: usize,
        outside: usize,
        call: impl Fn(Context, usize) -> Option<Context>,
    ) -> Option<Context> {
        self.len.set(0);
        let mut next = outside;
        // SAFETY: both together are at most `SHORT`, so that all pointers are to frames, and to what was found.
        unsafe {
            let mut place = self.frames.as_ptr().add(same);
            let mut context = (*place).get().context;
            let first = self.found.as_ptr();
            let mut from = first.add(found);
            while from != first {
                from = from.sub(1);
                place = place.add(1);
                let Found { at, return_address } = (*from).get();
                let Frame { words, caller, context: called, .. } = (*place).get();
                let caller_now = context;
                context = if words.return_address == return_address && caller == context {
                    called
                } else {
                    call(context, strip(return_address))?
                };
                (*place).set(Frame { words: Words { next, return_address }, at, caller: caller_now, context });
                next = at;
            }
            self.len.set(same + found);
            Some(context)
        }
    }

    /// Walks to the end of the chain. Tells the innermost context, and whether there were more frames than are wanted. `None`
    /// when there is no memory for a context.
    #[inline(never)]
    pub fn anew(&self, chain: Chain, wanted: Wanted) -> Option<(Context, bool)> {
        self.len.set(0);
        let mut at = chain.innermost;
        // SAFETY: the innermost frame.
        let mut words = unsafe { chain.words(at) };
        let mut found = 0;
        for place in &self.found[..wanted.depth.min(SHORT)] {
            place.set(Found { at, return_address: words.return_address });
            found += 1;
            let next = words.next;
            match chain.outside(at, next) {
                Ok(outer) => (at, words) = (next, outer),
                Err(end) => {
                    self.begin(contexts::root(wanted.scope, 0)?);
                    self.end.set(end);
                    return Some((self.step(0, found, next, Context::call)?, false));
                }
            }
        }
        let beyond = if wanted.counts_all { chain.count(at) } else { 0 };
        self.begin(contexts::root(wanted.scope, beyond as u32)?);
        let context = self.step(0, found, at, Context::call)?;
        self.len.set(0);
        Some((context, true))
    }

    fn begin(&self, root: Context) {
        let words = Words { next: 0, return_address: 0 };
        self.frames[0].set(Frame { words, at: usize::MAX, caller: root, context: root });
    }

    /// Forgets all: another thread takes over, or another scope begins.
    pub fn clear(&self) {
        self.len.set(0);
    }
}

/// Whether a frame is where it was, with the words that it had.
///
/// # Safety
///
/// Its address can be read.
#[inline(always)]
unsafe fn is_there(frame: Frame) -> bool {
    // SAFETY: by the promise of the caller.
    let now = unsafe { Words::at(frame.at) };
    now.next == frame.words.next && now.return_address == frame.words.return_address
}

/// The same of four frames, from this one on. By four instructions each, and two more.
///
/// # Safety
///
/// There are four, and their addresses can be read.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn are_there(first: *const Cell<Frame>) -> bool {
    use core::arch::x86_64::{
        __m128i, _mm_and_si128, _mm_cmpeq_epi32, _mm_load_si128, _mm_loadu_si128, _mm_movemask_epi8,
    };

    // SAFETY: by the promise of the caller; a frame begins with its words, and is aligned to them.
    unsafe {
        let same = |number| {
            let frame = first.add(number);
            let now = core::ptr::with_exposed_provenance::<__m128i>((*frame).get().at);
            _mm_cmpeq_epi32(_mm_loadu_si128(now), _mm_load_si128(frame.cast()))
        };
        let all = _mm_and_si128(_mm_and_si128(same(0), same(1)), _mm_and_si128(same(2), same(3)));
        _mm_movemask_epi8(all) == 0xFFFF
    }
}

/// The same of four frames, from this one on.
///
/// # Safety
///
/// There are four, and their addresses can be read.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
unsafe fn are_there(first: *const Cell<Frame>) -> bool {
    // SAFETY: by the promise of the caller.
    (0..4).all(|number| unsafe { is_there((*first.add(number)).get()) })
}

#[cfg(test)]
mod tests {
    use super::super::frame_pointer::Here;
    use super::*;

    /// A stack that is none: frames are at words of it, the outermost at the highest.
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

        /// The innermost function returns; what it has written stays.
        fn leave(&mut self) {
            if self.frames.len() > 1 {
                self.frames.pop();
            }
        }

        fn chain(&self) -> Chain {
            let innermost = self.address(*self.frames.last().expect("one is never popped"));
            let bounds = (self.address(0), self.address(self.words.len()));
            Chain::from(Here::at(innermost, innermost), bounds).expect("it is inside")
        }
    }

    fn nothing_remembered() -> Box<LastWalk> {
        // SAFETY: zeroes remember nothing.
        unsafe { Box::new_zeroed().assume_init() }
    }

    /// Numbers that look random.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, end: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % end
        }
    }

    #[test]
    fn what_is_remembered_never_changes_what_a_walk_finds() {
        let (mut stack, mut numbers) = (Stack::new(), Numbers(1));
        let remembering = nothing_remembered();
        let mut met = 0;
        let rounds = if cfg!(miri) { 300 } else { 30_000 };
        for _ in 0..rounds {
            for _ in 0..numbers.below(6) {
                // Mostly deeper below 40 frames, and mostly shallower above.
                if numbers.below(80) < stack.frames.len() {
                    stack.leave();
                } else {
                    stack.call(0x1000 + numbers.below(3), 2 * numbers.below(3));
                }
            }
            // The chain begins to end elsewhere.
            let outermost = stack.frames[0];
            if numbers.below(50) == 0 {
                stack.words[outermost + 1].set(numbers.below(2) * 0xE000);
                stack.words[outermost].set([0, 1, stack.address(outermost)][numbers.below(3)]);
            }
            let wanted = Wanted { depth: 30 + numbers.below(20), counts_all: numbers.below(2) == 0, scope: 0 };
            let chain = stack.chain();
            let again = remembering.again(chain, wanted.depth).map(|context| (context, false));
            met += usize::from(again.is_some());
            let found = again.or_else(|| remembering.anew(chain, wanted));
            assert_eq!(found, nothing_remembered().anew(chain, wanted));
            let (context, is_cut) = found.expect("there is memory");
            let frames =
                stack.frames.len() - usize::from(stack.words[outermost + 1].get() == 0).min(stack.frames.len() - 1);
            assert_eq!((context.addresses().count(), is_cut), (frames.min(wanted.depth), frames > wanted.depth));
        }
        assert!(met > rounds / 6, "{met}");
    }
}
