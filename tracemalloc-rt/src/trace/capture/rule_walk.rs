//! Walks a stack by unwind rules, from one frame to its callers.
//!
//! Such a walk needs no frame pointers, takes no lock and never allocates. It is some ten times
//! as fast as the unwinder. Where a rule is missing, the walk is lost, and the unwinder has to
//! walk.

use crate::trace::capture::captured::Captured;
use crate::trace::capture::frame_pointer::{Bounds, Here};
use crate::trace::capture::unwind_rules::packed_rule::PackedRule;
use crate::trace::capture::unwind_rules::rule::{Registers, Rule};
use crate::trace::capture::unwind_rules::{self, packed_rule_at, rule_at};
use crate::trace::contexts::Context;

/// The return addresses of the callers of a frame, innermost first.
pub struct Callers {
    registers: Registers,
    /// The rule that leads to the next caller.
    rule: PackedRule,
    /// One past the highest address of the stack.
    end: usize,
    is_lost: bool,
}

/// Prepares walks, before the first one.
pub fn prepare() {
    unwind_rules::prepare();
}

/// Whether a function keeps a frame pointer, as far as rules tell.
pub fn keeps_frame_pointer(here: Here) -> bool {
    matches!(rule_at(here.address), Rule::FRAME_POINTER | Rule::Unknown)
}

/// Whether rules lead from `here` to the frames of a chain, as [`Callers::agree`] says. `None` if a
/// rule is missing.
#[cold]
pub fn agrees(
    chain: Context,
    is_cut: bool,
    bounds: Bounds,
    here: Here,
    outermost: usize,
) -> Option<bool> {
    let mut callers = Callers::of(Registers::from(here), bounds)?;
    let agree = callers.agree(chain, is_cut, outermost);
    (!callers.is_lost).then_some(agree)
}

/// Captures the callers of the function that `here` is in. False if a rule is missing; then some
/// frames may have been captured.
pub fn capture(captured: &mut Captured, bounds: Bounds, here: Here) -> bool {
    let Some(mut callers) = Callers::of(Registers::from(here), bounds) else { return false };
    for address in &mut callers {
        if !captured.push(address) {
            return true;
        }
    }
    !callers.is_lost
}

impl Callers {
    /// The callers of a frame of the current thread, whose stack has these bounds. `None` if the
    /// frame is on another stack.
    pub fn of(registers: Registers, bounds: Bounds) -> Option<Self> {
        let end = bounds.end();
        let is_inside = (bounds.low..end).contains(&registers.stack);
        let rule = packed_rule_at(registers.return_address);
        is_inside.then_some(Self { registers, rule, end, is_lost: false })
    }

    /// The rule of the outermost frame so far.
    #[cfg(any(test, feature = "c-malloc"))]
    pub fn rule(&self) -> Rule {
        self.rule.into()
    }

    /// Whether these are the frames of a chain, and then at most `outermost` other ones. If the
    /// chain was cut, any number may follow.
    pub fn agree(&mut self, chain: Context, is_cut: bool, outermost: usize) -> bool {
        let is_next = |expected| self.next() == Some(expected);
        chain.addresses().all(is_next) && (is_cut || self.take(outermost + 1).count() <= outermost)
    }
}

impl Iterator for Callers {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        // SAFETY: the first frame is in the bounds of the current thread's stack, which is mapped.
        // A step only leads outwards, up to the end.
        let Some(caller) = (unsafe { self.rule.step(self.registers, self.end) }) else {
            self.is_lost = !self.rule.is_outermost();
            return None;
        };
        self.registers = caller;
        self.rule = packed_rule_at(caller.return_address);
        Some(caller.return_address)
    }
}

#[cfg(test)]
mod tests {
    use core::mem::MaybeUninit;

    use super::*;
    use crate::trace::capture::unwind;
    use crate::trace::capture::unwind_rules::tests::through_no_frame;

    /// Bounds of any stack. Rules end at the outermost frame.
    fn everywhere() -> Bounds {
        Bounds::from((4096, usize::MAX))
    }

    /// The frames of a walk, innermost first, and whether it is whole.
    fn captured(walk: impl FnOnce(&mut Captured) -> bool) -> (bool, Vec<usize>) {
        let mut room = [MaybeUninit::uninit(); 256];
        let mut captured = Captured::new(&mut room, true, 0);
        let is_whole = walk(&mut captured);
        let context = captured.context().expect("there is memory");
        (is_whole, context.addresses().collect())
    }

    #[inline(never)]
    fn root() -> [(bool, Vec<usize>); 2] {
        prepare();
        let (here, bounds) = (Here::new(), everywhere());
        let by_rules = captured(|captured| capture(captured, bounds, here));
        let by_unwinder = captured(|captured| {
            unwind::walk(captured, root as *const ());
            true
        });
        [by_rules, by_unwinder]
    }

    extern "C" fn compare() {
        let [(is_whole, by_rules), (_, mut by_unwinder)] = root();
        // The unwinder may add an end.
        by_unwinder.retain(|address| *address != 0);
        assert!(is_whole && by_rules.len() > 5);
        assert_eq!(by_rules, by_unwinder);
    }

    #[test]
    fn rules_and_the_unwinder_capture_the_same_stack() {
        compare();
        through_no_frame(compare);
        std::thread::spawn(move || {
            compare();
        })
        .join()
        .expect("no panic");
    }

    #[test]
    fn rules_agree_with_their_own_frames_alone() {
        #[inline(never)]
        fn root() {
            prepare();
            let (here, bounds) = (Here::new(), everywhere());
            let (_, all) = captured(|captured| capture(captured, bounds, here));
            let agrees = |chain: &[usize], is_cut, outermost| {
                let root = crate::trace::contexts::root(0, 0).expect("there is memory");
                let chain = chain.iter().rev().fold(root, |context, address| {
                    context.call(*address).expect("there is memory")
                });
                agrees(chain, is_cut, bounds, here, outermost)
            };
            assert_eq!(agrees(&all, false, 0), Some(true));
            assert_eq!(agrees(&all[..all.len() - 2], false, 2), Some(true));
            assert_eq!(agrees(&all[..all.len() - 3], false, 2), Some(false));
            assert_eq!(agrees(&all[..2], true, 0), Some(true));
            assert_eq!(agrees(&all[1..], true, 3), Some(false));
            assert_eq!(agrees(&[&all[..], &[7]].concat(), false, 3), Some(false));
        }
        root();
    }

    #[test]
    fn a_walk_without_rules_is_lost() {
        prepare();
        let (here, bounds) = (Here::new(), everywhere());
        let elsewhere = Here { top: 16, ..here };
        let (is_whole, frames) = captured(|captured| capture(captured, bounds, elsewhere));
        assert_eq!((is_whole, &frames[..]), (false, &[][..]));
        let unknown = Here { address: 1, ..here };
        let (is_whole, frames) = captured(|captured| capture(captured, bounds, unknown));
        assert_eq!((is_whole, &frames[..]), (false, &[][..]));
        let chain = crate::trace::contexts::root(0, 0).expect("there is memory");
        assert_eq!(agrees(chain, false, bounds, unknown, 3), None);
    }
}
