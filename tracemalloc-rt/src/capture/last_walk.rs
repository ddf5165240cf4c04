//! A walk that remembers the last one.
//!
//! A program that allocates mostly comes from where it has just come from: the outer frames are those of the last walk,
//! at the same addresses, with the same words in them. To compare a remembered frame with memory is cheaper than to walk to it,
//! because no load waits for the one before; and as every frame is compared, nothing is assumed. So a walk goes
//! from the innermost frame outwards only as far as the first frame that is remembered and still there, and looks up
//! only the contexts inside of it.

use core::cell::Cell;

use super::frame_pointer::{Chain, End, strip};
use crate::contexts::{self, Context};
use crate::stacks::{self, StackId};

/// No deeper walks are remembered.
pub const SHORT: usize = 128;

/// What one thread remembers. Zeroes remember nothing.
///
/// This is the innermost loop of tracing, and is written for few instructions: by pointers into these arrays.
pub struct LastWalk {
    /// How many frames there were, at most [`SHORT`]; 0 when nothing is remembered.
    len: Cell<usize>,
    /// What the outermost frame has for its caller's.
    next: Cell<usize>,
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
struct Frame {
    at: usize,
    return_address: usize,
    caller: Context,
    /// What the caller calls by that address.
    context: Context,
    /// The stack that this is the innermost frame of, or 0 where that is not known.
    stack: u32,
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

/// Where a walk has ended, among what is remembered.
#[derive(Clone, Copy)]
pub struct Innermost<'a>(&'a Cell<Frame>);

impl Innermost<'_> {
    #[inline(always)]
    pub fn context(self) -> Context {
        self.0.get().context
    }

    /// The stack that this is the innermost frame of, if there is one already.
    #[inline(always)]
    pub fn stack(self) -> Option<StackId> {
        let frame = self.0.get();
        if frame.stack != 0 {
            return Some(StackId(frame.stack));
        }
        let stack = stacks::find(frame.context)?;
        self.0.set(Frame { stack: stack.0, ..frame });
        Some(stack)
    }
}

impl LastWalk {
    /// The innermost frame, where the chain meets the last one. Otherwise `None`: then [`anew`](Self::anew) tells. What is
    /// remembered has to be of the same scope, and `depth` at most [`SHORT`].
    #[inline(always)]
    pub fn again(&self, chain: Chain, depth: usize) -> Option<Innermost<'_>> {
        let same = self.same_frames(chain)?;
        let (same, found) = self.meet(chain, same, depth)?;
        self.step(same, found)
    }

    /// The innermost one of those remembered frames that are still there; 0 is the root.
    #[inline(always)]
    fn same_frames(&self, chain: Chain) -> Option<usize> {
        let len = self.len.get();
        if len == 0 || len > SHORT {
            return None;
        }
        let root = self.frames.as_ptr();
        // SAFETY: all pointers are to `frames`, from the root, which is at no address below the innermost frame, to `len`. What is
        // behind it, the chain has led to in this thread, and it is read where it is not below the innermost frame.
        unsafe {
            let mut alive = root.add(len);
            while (*alive).get().at < chain.innermost {
                alive = alive.sub(1);
            }
            let mut outer = self.next.get();
            let mut same = root;
            macro_rules! compare {
                () => {
                    let frame = same.add(1);
                    let at = (*frame).get().at;
                    let words = chain.words(at);
                    if words.next != outer || words.return_address != (*frame).get().return_address {
                        break;
                    }
                    (outer, same) = (at, frame);
                };
            }
            loop {
                // By fours, which takes fewer instructions, and the rest one by one.
                if alive.offset_from_unsigned(same) >= 4 {
                    compare!();
                    compare!();
                    compare!();
                    compare!();
                } else if same != alive {
                    compare!();
                } else {
                    break;
                }
            }
            // The frame that the chain ended at is still there.
            (same != root && self.end.get().still_is()).then(|| same.offset_from_unsigned(root))
        }
    }

    /// Walks until the chain meets one of the first `same` frames: which one, and how many were found before.
    #[inline(always)]
    fn meet(&self, chain: Chain, mut same: usize, depth: usize) -> Option<(usize, usize)> {
        let frame = |number: usize| {
            // SAFETY: there are `SHORT + 1` frames, and `same_frames` gave no more than `SHORT`.
            unsafe { (*self.frames.as_ptr().add(number)).get() }
        };
        let mut meeting = frame(same).at;
        let mut at = chain.innermost;
        // SAFETY: the innermost frame.
        let mut words = unsafe { chain.words(at) };
        let mut found = 0;
        loop {
            if at >= meeting {
                // The root is at the highest address.
                while frame(same).at < at {
                    same -= 1;
                }
                meeting = frame(same).at;
                if at == meeting {
                    return (same + found <= depth).then_some((same, found));
                }
            }
            if found >= depth {
                return None;
            }
            // SAFETY: fewer than `depth` were found, which is at most `SHORT`.
            unsafe { (*self.found.as_ptr().add(found)).set(Found { at, return_address: words.return_address }) };
            found += 1;
            let next = words.next;
            words = chain.outside(at, next).ok()?;
            at = next;
        }
    }

    /// Puts the first `found` frames, which were found innermost first, inside of the first `same` ones.
    #[inline(always)]
    fn step(&self, same: usize, found: usize) -> Option<Innermost<'_>> {
        self.len.set(0);
        let mut left = found;
        // SAFETY: both together are at most `SHORT`, so that all pointers are to frames.
        unsafe {
            let mut place = self.frames.as_ptr().add(same);
            let mut context = (*place).get().context;
            while left > 0 {
                left -= 1;
                let Found { at, return_address } = (*self.found.as_ptr().add(left)).get();
                place = place.add(1);
                let before = (*place).get();
                if before.caller == context && before.return_address == return_address {
                    (*place).set(Frame { at, ..before });
                    context = before.context;
                } else {
                    let caller = context;
                    context = caller.call(strip(return_address))?;
                    (*place).set(Frame { at, return_address, caller, context, stack: 0 });
                }
            }
            self.len.set(same + found);
            Some(Innermost(&*place))
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
                    self.next.set(next);
                    self.end.set(end);
                    return Some((self.step(0, found)?.context(), false));
                }
            }
        }
        let beyond = if wanted.counts_all { chain.count(at) } else { 0 };
        self.begin(contexts::root(wanted.scope, beyond as u32)?);
        let context = self.step(0, found)?.context();
        self.len.set(0);
        Some((context, true))
    }

    fn begin(&self, root: Context) {
        let at = usize::MAX;
        self.frames[0].set(Frame { at, return_address: 0, caller: root, context: root, stack: 0 });
    }

    /// Forgets all: another thread takes over, or another scope begins.
    pub fn clear(&self) {
        self.len.set(0);
    }
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
            let again = remembering.again(chain, wanted.depth).map(|innermost| (innermost.context(), false));
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
