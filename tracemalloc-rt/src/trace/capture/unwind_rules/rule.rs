//! A rule that leads from one frame to its caller's, and one step by it.
//!
//! Unwind tables describe such rules in general. Compilers use a few forms, which fit into one
//! word. The idea is framehop's.

use crate::trace::capture::frame_pointer::{Here, load};

const WORD: usize = size_of::<usize>();

/// The base of the canonical frame address: the stack pointer of the caller, after the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// The stack pointer, plus an offset.
    Stack,
    /// The frame pointer, plus an offset.
    Frame,
    /// The word at the frame pointer plus an offset: a function that aligns its own stack.
    WordAtFrame,
}

/// The place where a function has saved its caller's frame pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// None: the register still has it.
    InRegister,
    /// At the canonical frame address, plus an offset.
    AtBase(i32),
    /// At the frame pointer, plus an offset.
    AtFrame(i32),
}

/// A rule for one return address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The frame has a caller. Its return address is right below the canonical frame address.
    Caller { base: Base, offset: i32, saved: Saved },
    /// The frame is the outermost one.
    Outermost,
    /// No table tells, or it has a form that is not supported.
    Unknown,
}

/// The registers of a frame, at the instruction that it continues at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registers {
    pub return_address: usize,
    pub stack: usize,
    pub frame: usize,
}

impl From<Here> for Registers {
    fn from(here: Here) -> Self {
        Self { return_address: here.address, stack: here.top, frame: here.frame }
    }
}

impl Rule {
    /// The rule of functions that keep a frame pointer.
    pub const FRAME_POINTER: Self = Self::Caller {
        base: Base::Frame,
        offset: 2 * WORD as i32,
        saved: Saved::AtBase(-2 * WORD as i32),
    };

    /// Offsets have so many bits in [`pack`](Self::pack).
    const OFFSET_BITS: u32 = 29;
    const OUTERMOST: u64 = 4;
    const UNKNOWN: u64 = 5;

    /// The rule in a word that is not 0. A rule whose offsets do not fit is an unknown one.
    pub fn pack(self) -> u64 {
        let Self::Caller { base, offset, saved } = self else {
            return if self == Self::Outermost { Self::OUTERMOST } else { Self::UNKNOWN };
        };
        let base = match base {
            Base::Stack => 1,
            Base::Frame => 2,
            Base::WordAtFrame => 3,
        };
        let (kind, saved) = match saved {
            Saved::InRegister => (0, 0),
            Saved::AtBase(offset) => (1, offset),
            Saved::AtFrame(offset) => (2, offset),
        };
        let bits = |offset: i32| {
            let shifted = (offset as u32) << (32 - Self::OFFSET_BITS);
            let fits = (shifted as i32) >> (32 - Self::OFFSET_BITS) == offset;
            fits.then_some(u64::from(shifted >> (32 - Self::OFFSET_BITS)))
        };
        match (bits(offset), bits(saved)) {
            (Some(offset), Some(saved)) => {
                base | kind << 3 | offset << 6 | saved << (6 + Self::OFFSET_BITS)
            }
            _ => Self::UNKNOWN,
        }
    }

    /// The rule that [`pack`](Self::pack) has made a word of.
    pub fn unpack(word: u64) -> Self {
        let signed = |shift: u32| {
            let bits = (word >> shift) as u32;
            (bits << (32 - Self::OFFSET_BITS)) as i32 >> (32 - Self::OFFSET_BITS)
        };
        let base = match word & 7 {
            1 => Base::Stack,
            2 => Base::Frame,
            3 => Base::WordAtFrame,
            Self::OUTERMOST => return Self::Outermost,
            _ => return Self::Unknown,
        };
        let saved = match word >> 3 & 7 {
            0 => Saved::InRegister,
            1 => Saved::AtBase(signed(6 + Self::OFFSET_BITS)),
            _ => Saved::AtFrame(signed(6 + Self::OFFSET_BITS)),
        };
        Self::Caller { base, offset: signed(6), saved }
    }

    /// The registers of the caller's frame. `None` if there is no caller, or if the rule leads out
    /// of the stack, of which `end` is one past the highest address.
    ///
    /// # Safety
    ///
    /// The current thread's stack is mapped from `registers.stack` to `end`.
    #[inline]
    pub unsafe fn step(self, registers: Registers, end: usize) -> Option<Registers> {
        let Self::Caller { base, offset, saved } = self else { return None };
        let read = |address: usize| {
            let is_inside = address >= registers.stack && address <= end.checked_sub(WORD)?;
            // SAFETY: aligned, and in the stack, by the promise of the caller.
            (is_inside && address % WORD == 0).then(|| unsafe { load::<0>(address) })
        };
        let stack = match base {
            Base::Stack => registers.stack.wrapping_add_signed(offset as isize),
            Base::Frame => registers.frame.wrapping_add_signed(offset as isize),
            Base::WordAtFrame => read(registers.frame.wrapping_add_signed(offset as isize))?,
        };
        if stack <= registers.stack {
            return None;
        }
        let return_address = read(stack.wrapping_sub(WORD))?;
        let frame = match saved {
            Saved::InRegister => registers.frame,
            Saved::AtBase(offset) => read(stack.wrapping_add_signed(offset as isize))?,
            Saved::AtFrame(offset) => read(registers.frame.wrapping_add_signed(offset as isize))?,
        };
        (return_address != 0).then_some(Registers { return_address, stack, frame })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_survives_its_word() {
        let mut rules = vec![Rule::Outermost, Rule::Unknown, Rule::FRAME_POINTER];
        for base in [Base::Stack, Base::Frame, Base::WordAtFrame] {
            for offset in [0, 8, -8, 16, 4096, -(1 << 28), (1 << 28) - 1] {
                for saved in [Saved::InRegister, Saved::AtBase(offset), Saved::AtFrame(offset)] {
                    rules.push(Rule::Caller { base, offset, saved });
                    rules.push(Rule::Caller { base, offset: -24, saved });
                }
            }
        }
        for rule in rules {
            assert_ne!(rule.pack(), 0, "{rule:?}");
            assert_eq!(Rule::unpack(rule.pack()), rule);
        }
        let far = Rule::Caller { base: Base::Stack, offset: 1 << 28, saved: Saved::InRegister };
        assert_eq!(Rule::unpack(far.pack()), Rule::Unknown);
    }

    #[test]
    fn a_step_never_leaves_the_stack() {
        let stack: [usize; 8] = [1, 2, 3, 4, 5, 6, 7, 0];
        let start = stack.as_ptr().expose_provenance();
        let end = start + size_of_val(&stack);
        let registers = Registers { return_address: 9, stack: start, frame: start + 16 };
        // SAFETY: the array is mapped.
        let step = |rule: Rule| unsafe { rule.step(registers, end) };
        let by_stack = |offset, saved| step(Rule::Caller { base: Base::Stack, offset, saved });
        let at = |stack, return_address, frame| Some(Registers { return_address, stack, frame });
        assert_eq!(by_stack(16, Saved::InRegister), at(start + 16, 2, start + 16));
        assert_eq!(by_stack(32, Saved::AtBase(-16)), at(start + 32, 4, 3));
        assert_eq!(by_stack(32, Saved::AtFrame(8)), at(start + 32, 4, 4));
        assert_eq!(step(Rule::FRAME_POINTER), at(start + 32, 4, 3));
        for offset in [0, -8, 12, 72, 1 << 20] {
            assert_eq!(by_stack(offset, Saved::InRegister), None, "{offset}");
        }
        assert_eq!(by_stack(16, Saved::AtBase(64)), None);
        assert_eq!(by_stack(16, Saved::AtFrame(-24)), None);
        assert_eq!(by_stack(64, Saved::InRegister), None, "no return address");
        assert_eq!(step(Rule::Outermost), None);
        assert_eq!(step(Rule::Unknown), None);
    }
}
