//! A rule in one word, and a step by it without unpacking.
//!
//! | bits | content |
//! |---|---|
//! | 0 to 2 | base of the canonical frame address, or a rule that leads to no caller |
//! | 3 to 5 | place of the caller's frame pointer |
//! | 6 to 34 | offset from the base |
//! | 35 to 63 | offset to the place |

use crate::trace::capture::frame_pointer::load;
use crate::trace::capture::unwind_rules::rule::{Base, Registers, Rule, Saved};

const WORD: usize = size_of::<usize>();

/// Both offsets have so many bits.
const OFFSET_BITS: u32 = 29;
const BASE: u64 = 7;
const STACK: u64 = 1;
const FRAME: u64 = 2;
const WORD_AT_FRAME: u64 = 3;
const OUTERMOST: u64 = 4;
const UNKNOWN: u64 = 5;
const SAVED_SHIFT: u32 = 3;
const IN_REGISTER: u64 = 0;
const AT_BASE: u64 = 1;
const AT_FRAME: u64 = 2;
const OFFSET_SHIFT: u32 = 6;
const SAVED_OFFSET_SHIFT: u32 = OFFSET_SHIFT + OFFSET_BITS;
/// The bits that are not offsets.
const FORM: u64 = (1 << OFFSET_SHIFT) - 1;

/// A rule in a word that is not 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackedRule(u64);

impl From<Rule> for PackedRule {
    /// A rule whose offsets do not fit is an unknown one.
    fn from(rule: Rule) -> Self {
        let Rule::Caller { base, offset, saved } = rule else {
            return Self(if rule == Rule::Outermost { OUTERMOST } else { UNKNOWN });
        };
        let base = match base {
            Base::Stack => STACK,
            Base::Frame => FRAME,
            Base::WordAtFrame => WORD_AT_FRAME,
        };
        let (kind, saved) = match saved {
            Saved::InRegister => (IN_REGISTER, 0),
            Saved::AtBase(offset) => (AT_BASE, offset),
            Saved::AtFrame(offset) => (AT_FRAME, offset),
        };
        let bits = |offset: i32| {
            let shifted = (offset as u32) << (32 - OFFSET_BITS);
            let fits = (shifted as i32) >> (32 - OFFSET_BITS) == offset;
            fits.then_some(u64::from(shifted >> (32 - OFFSET_BITS)))
        };
        Self(match (bits(offset), bits(saved)) {
            (Some(offset), Some(saved)) => {
                base | kind << SAVED_SHIFT | offset << OFFSET_SHIFT | saved << SAVED_OFFSET_SHIFT
            }
            _ => UNKNOWN,
        })
    }
}

impl From<PackedRule> for Rule {
    fn from(packed: PackedRule) -> Self {
        let base = match packed.0 & BASE {
            STACK => Base::Stack,
            FRAME => Base::Frame,
            WORD_AT_FRAME => Base::WordAtFrame,
            OUTERMOST => return Self::Outermost,
            _ => return Self::Unknown,
        };
        let saved_offset = packed.saved_offset() as i32;
        let saved = match (packed.0 & FORM) >> SAVED_SHIFT {
            IN_REGISTER => Saved::InRegister,
            AT_BASE => Saved::AtBase(saved_offset),
            _ => Saved::AtFrame(saved_offset),
        };
        Self::Caller { base, offset: packed.offset() as i32, saved }
    }
}

impl PackedRule {
    /// An unknown rule.
    pub const UNKNOWN: Self = Self(UNKNOWN);

    /// The rule of a word that [`word`](Self::word) has returned; `None` for 0.
    #[inline(always)]
    pub fn of_word(word: u64) -> Option<Self> {
        (word != 0).then_some(Self(word))
    }

    /// Its word, which is not 0.
    pub fn word(self) -> u64 {
        self.0
    }

    /// Whether the frame is the outermost one.
    pub fn is_outermost(self) -> bool {
        self.0 == OUTERMOST
    }

    #[inline(always)]
    fn offset(self) -> isize {
        // The shift to the right brings the sign.
        ((self.0 << (64 - SAVED_OFFSET_SHIFT)) as i64 >> (64 - OFFSET_BITS)) as isize
    }

    #[inline(always)]
    fn saved_offset(self) -> isize {
        (self.0 as i64 >> SAVED_OFFSET_SHIFT) as isize
    }

    /// As [`Rule::step`]. The forms of nearly all rules are not unpacked.
    ///
    /// # Safety
    ///
    /// That of [`Rule::step`].
    #[inline(always)]
    pub unsafe fn step(self, registers: Registers, end: usize) -> Option<Registers> {
        const KEPT: u64 = STACK | IN_REGISTER << SAVED_SHIFT;
        const PUSHED: u64 = STACK | AT_BASE << SAVED_SHIFT;
        const BY_FRAME: u64 = FRAME | AT_BASE << SAVED_SHIFT;
        let form = self.0 & FORM;
        let base = match form {
            KEPT | PUSHED => registers.stack,
            BY_FRAME => registers.frame,
            // SAFETY: by the promise of the caller.
            _ => return unsafe { Rule::from(self).step(registers, end) },
        };
        let last = end.checked_sub(WORD)?;
        let is_inside =
            |address: usize| address >= registers.stack && address <= last && address % WORD == 0;
        let stack = base.wrapping_add_signed(self.offset());
        let return_address = stack.wrapping_sub(WORD);
        if stack <= registers.stack || !is_inside(return_address) {
            return None;
        }
        // SAFETY: aligned, and in the stack, by the promise of the caller.
        let return_address = unsafe { load::<0>(return_address) };
        let frame = if form == KEPT {
            registers.frame
        } else {
            let place = stack.wrapping_add_signed(self.saved_offset());
            if !is_inside(place) {
                return None;
            }
            // SAFETY: as above.
            unsafe { load::<0>(place) }
        };
        (return_address != 0).then_some(Registers { return_address, stack, frame })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::util::numbers::Numbers;

    fn rules() -> Vec<Rule> {
        let mut rules = vec![Rule::Outermost, Rule::Unknown, Rule::FRAME_POINTER];
        for base in [Base::Stack, Base::Frame, Base::WordAtFrame] {
            for offset in [0, 8, -8, 12, 16, 24, 40, 4096, -(1 << 28), (1 << 28) - 1] {
                for saved in [Saved::InRegister, Saved::AtBase(offset), Saved::AtFrame(offset)] {
                    rules.push(Rule::Caller { base, offset, saved });
                    rules.push(Rule::Caller { base, offset: 32, saved });
                    rules.push(Rule::Caller { base, offset: -24, saved });
                }
                rules.push(Rule::Caller { base, offset, saved: Saved::AtBase(-16) });
            }
        }
        rules
    }

    #[test]
    fn every_rule_survives_its_word() {
        for rule in rules() {
            let packed = PackedRule::from(rule);
            assert_eq!(PackedRule::of_word(packed.word()), Some(packed), "{rule:?}");
            assert_eq!(Rule::from(packed), rule);
            assert_eq!(packed.is_outermost(), rule == Rule::Outermost);
        }
        let far = Rule::Caller { base: Base::Stack, offset: 1 << 28, saved: Saved::InRegister };
        assert_eq!(PackedRule::from(far), PackedRule::UNKNOWN);
        assert_eq!(PackedRule::of_word(0), None);
    }

    #[test]
    fn a_step_is_that_of_the_unpacked_rule() {
        let stack: [usize; 16] = core::array::from_fn(|index| index * 3 % 11);
        let start = stack.as_ptr().expose_provenance();
        let mut numbers = Numbers(1);
        let mut steps = 0;
        for rule in rules() {
            for _ in 0..200 {
                let place = |numbers: &mut Numbers| match numbers.below(20) {
                    0 => numbers.below(100),
                    1 => start + numbers.below(200),
                    _ => start + 8 * numbers.below(17),
                };
                let registers = Registers {
                    return_address: 9,
                    stack: start + 8 * numbers.below(16) + usize::from(numbers.below(20) == 0),
                    frame: place(&mut numbers),
                };
                // No higher than the array's end.
                let end = [start + size_of_val(&stack), start + 64, 4][numbers.below(3)];
                // SAFETY: the array is mapped, and no step reads outside of it.
                let (step, expected) = unsafe {
                    (PackedRule::from(rule).step(registers, end), rule.step(registers, end))
                };
                assert_eq!(step, expected, "{rule:?} {registers:?} {end:x}");
                steps += usize::from(step.is_some());
            }
        }
        assert!(steps > 1000, "{steps}");
    }
}
