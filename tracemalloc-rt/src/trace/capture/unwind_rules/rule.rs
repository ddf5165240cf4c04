//! A rule that leads from one frame to its caller's, and one step by it.
//!
//! Unwind tables describe such rules in general. Compilers use a few forms, which fit into
//! [one word](super::packed_rule). The idea is framehop's.

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
