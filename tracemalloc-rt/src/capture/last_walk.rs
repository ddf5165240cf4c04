//! A walk that remembers the last one.
//!
//! A program that allocates mostly comes from where it has just come from: the outer frames are those of the last walk,
//! at the same addresses, with the same words in them. To compare a remembered frame with memory is cheaper than to walk to it,
//! because no load waits for the one before; and as every frame is compared, nothing is assumed. So a walk goes
//! from the innermost frame outwards only as far as the first frame that is remembered and still there, and looks up
//! only the contexts inside of it.

use core::cell::Cell;
use core::mem;

use super::frame_pointer::{Chain, End, strip};
use crate::contexts::{self, Context};

/// No deeper walks are remembered.
pub const SHORT: usize = 128;

/// What one thread remembers. Zeroes remember nothing.
pub struct LastWalk {
    /// How many frames there were, at most [`SHORT`]; 0 when nothing is remembered.
    len: Cell<usize>,
    /// Why there were no more.
    end: Cell<End>,
    /// Those frames, outermost first, from 1 on. In front of them what the outermost one has for its caller's frame, and the root.
    /// Behind them some of walks before, which still know what their callers call.
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
#[repr(C, align(32))]
struct Frame {
    found: Found,
    caller: Context,
    /// What the caller calls by that address.
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
    /// The innermost context, where the chain meets the last one. Otherwise `None`: then [`anew`](Self::anew) tells. What is
    /// remembered has to be of the same scope.
    #[inline(always)]
    pub fn again(&self, chain: Chain, depth: usize) -> Option<Context> {
        let mut same = self.same_frames(chain)?;
        let mut at = chain.innermost;
        // SAFETY: the innermost frame.
        let mut words = unsafe { chain.words(at) };
        let mut meeting = same.last()?.get().found.at;
        let mut places = self.found.iter();
        loop {
            while at > meeting {
                same = &same[..same.len() - 1];
                meeting = same.last()?.get().found.at;
            }
            if at == meeting {
                break;
            }
            places.next()?.set(Found { at, return_address: words.return_address });
            let next = words.next;
            words = chain.outside(at, next).ok()?;
            at = next;
        }
        let found = &self.found[..SHORT - places.len()];
        let len = same.len() + found.len();
        if len > depth {
            return None;
        }
        self.len.set(0);
        let context = same.last()?.get().context;
        let context = steps(context, found.iter().rev(), &self.frames[same.len() + 1..])?;
        self.len.set(len);
        Some(context)
    }

    /// Walks to the end of the chain. Tells the innermost context, and whether there were more frames than are wanted. `None`
    /// when there is no memory for a context.
    #[inline(never)]
    pub fn anew(&self, chain: Chain, wanted: Wanted) -> Option<(Context, bool)> {
        self.len.set(0);
        let mut at = chain.innermost;
        // SAFETY: the innermost frame.
        let mut words = unsafe { chain.words(at) };
        let mut len = 0;
        for place in &self.found[..wanted.depth.min(SHORT)] {
            place.set(Found { at, return_address: words.return_address });
            len += 1;
            let next = words.next;
            match chain.outside(at, next) {
                Ok(outer) => (at, words) = (next, outer),
                Err(end) => {
                    let root = contexts::root(wanted.scope, 0)?;
                    self.end.set(end);
                    self.frames[0].set(Frame {
                        found: Found { at: next, return_address: 0 },
                        caller: root,
                        context: root,
                    });
                    let context = steps(root, self.found[..len].iter().rev(), &self.frames[1..])?;
                    self.len.set(len);
                    return Some((context, false));
                }
            }
        }
        let beyond = if wanted.counts_all { chain.count(at) } else { 0 };
        let root = contexts::root(wanted.scope, beyond as u32)?;
        Some((steps(root, self.found[..len].iter().rev(), &self.frames[1..])?, true))
    }

    /// Those of the remembered frames, from the outermost on, that are still there.
    #[inline(always)]
    fn same_frames(&self, chain: Chain) -> Option<&[Cell<Frame>]> {
        let mut alive = self.frames.get(1..self.len.get() + 1)?;
        while alive.last()?.get().found.at < chain.innermost {
            alive = &alive[..alive.len() - 1];
        }
        let is_same = |outer: &mut usize, frame: &Cell<Frame>| {
            let Found { at, return_address } = frame.get().found;
            // SAFETY: the chain has led to it in this thread, and it is not below the innermost frame.
            let words = unsafe { chain.words(at) };
            words.next == mem::replace(outer, at) && words.return_address == return_address
        };
        // By fours, which takes fewer instructions, and then the rest.
        let mut outer = self.frames[0].get().found.at;
        let mut fours = 0;
        for four in alive.as_chunks::<4>().0 {
            if !four.iter().all(|frame| is_same(&mut outer, frame)) {
                break;
            }
            fours += 4;
        }
        let (same, rest) = alive.split_at_checked(fours)?;
        let mut outer = same.last().unwrap_or(&self.frames[0]).get().found.at;
        let more = rest.iter().take_while(|frame| is_same(&mut outer, frame)).count();
        let same = &alive[..fours + more];
        // SAFETY: the frame that the chain ended at is still there.
        (!same.is_empty() && unsafe { self.end.get().still_is() }).then_some(same)
    }

    /// Forgets all: another thread takes over, or another scope begins.
    pub fn clear(&self) {
        self.len.set(0);
    }
}

/// The context that is reached from `context` by those frames, outermost first, which are put into `places`.
#[inline(always)]
fn steps<'a>(
    mut context: Context,
    frames: impl Iterator<Item = &'a Cell<Found>>,
    places: &[Cell<Frame>],
) -> Option<Context> {
    for (found, place) in frames.zip(places) {
        let (found, before) = (found.get(), place.get());
        let known = before.caller == context && before.found.return_address == found.return_address;
        let inner = if known { before.context } else { context.call(strip(found.return_address))? };
        place.set(Frame { found, caller: context, context: inner });
        context = inner;
    }
    Some(context)
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
        assert!(met > rounds / 4, "{met}");
    }
}
