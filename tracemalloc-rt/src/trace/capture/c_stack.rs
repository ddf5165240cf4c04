//! Captures the stack of a block that C allocates.
//!
//! C code mostly keeps no frame pointers. So a walk goes by [rules](super::unwind_rules) from the
//! call of `malloc` to the first function that keeps one. The rest is the chain of frame pointers,
//! which begins with the frames of the last walk, as for Rust's blocks. Further out, other C code
//! may be missing in the chain. So each new chain is compared once with the frames that the rules
//! lead to. If they differ, rules lead all the way whenever that chain occurs.
//!
//! A stack is exact as far as it goes. If no rule leads on, it is marked as cut.

use crate::trace::capture::frame_pointer::{Bounds, Chain, Here};
use crate::trace::capture::last_walk::SHORT;
use crate::trace::capture::rule_walk::Callers;
use crate::trace::capture::settings::Settings;
use crate::trace::capture::unwind_rules::rule::{Registers, Rule};
use crate::trace::capture::unwind_rules::rule_at;
use crate::trace::capture::walker::{self, OUTERMOST, Walker};
use crate::trace::contexts::{self, Context};
use crate::trace::stack_id::StackId;

/// The most frames of C inside of the first function that keeps a frame pointer.
const INNER: usize = 64;

/// The number of missing frames of a stack that is cut. The true number is not known.
const CUT: u32 = 1;

/// The id of the stack of a block that C allocates. `registers` are those of the caller of
/// `malloc`. `walker` is the thread's, if it still has one, and `bounds` its stack's. `None` if
/// there was no memory for the stack.
pub fn stack_id(
    walker: Option<&Walker>,
    bounds: (usize, usize),
    registers: Registers,
) -> Option<StackId> {
    let bounds = walker.map_or_else(|| Bounds::from(bounds), |walker| walker.bounds.get());
    let scope = walker.map_or(0, Walker::scope);
    let mut inner = [0; INNER];
    let mut len = 0;
    let outer = if (bounds.low..bounds.end()).contains(&registers.stack) {
        outer(walker, bounds, registers, &mut inner, &mut len)?
    } else {
        (inner[0], len) = (registers.return_address, 1);
        contexts::root(scope, CUT)?
    };
    let frames = inner.get(..len).unwrap_or_default();
    let context = frames.iter().rev().try_fold(outer, |context, address| context.call(*address));
    Some(context?.call(contexts::OF_C)?.stack_id())
}

/// Writes the frames of C to `inner`, innermost first, and returns the context of their caller.
fn outer(
    walker: Option<&Walker>,
    bounds: Bounds,
    mut registers: Registers,
    inner: &mut [usize; INNER],
    len: &mut usize,
) -> Option<Context> {
    let scope = walker.map_or(0, Walker::scope);
    while let Some(place) = inner.get_mut(*len) {
        *place = registers.return_address;
        *len += 1;
        let rule = rule_at(registers.return_address);
        if rule == Rule::FRAME_POINTER {
            let here = Here { frame: registers.frame, top: registers.stack, address: 0 };
            if let Some(chain) = Chain::from(here, bounds) {
                return by_chain(walker, bounds, registers, chain);
            }
        }
        // SAFETY: `registers.stack` is in the bounds of the current thread's stack, which is
        // mapped, and a step only leads outwards.
        match unsafe { rule.step(registers, bounds.end()) } {
            Some(caller) => registers = caller,
            None => return contexts::root(scope, missing(rule)),
        }
    }
    contexts::root(scope, CUT)
}

/// The number of missing frames outside of a frame with this rule, which leads to none.
fn missing(rule: Rule) -> u32 {
    if rule == Rule::Unknown { CUT } else { 0 }
}

/// The context of the caller of a function that keeps a frame pointer.
fn by_chain(
    walker: Option<&Walker>,
    bounds: Bounds,
    registers: Registers,
    chain: Chain,
) -> Option<Context> {
    let settings = Settings::now();
    let (context, is_cut) = walker::by_chain(settings, walker, chain)?;
    let is_whole = context.is_whole_chain().unwrap_or_else(|| {
        let agrees = agrees(context, is_cut, bounds, registers);
        context.set_whole_chain(agrees);
        agrees
    });
    if is_whole { Some(context) } else { by_rules(settings, walker, bounds, registers) }
}

/// Whether rules lead to the frames of a chain, and then to at most a few other ones. If the chain
/// was cut, any number may follow.
#[cold]
fn agrees(chain: Context, is_cut: bool, bounds: Bounds, registers: Registers) -> bool {
    Callers::of(registers, bounds)
        .is_some_and(|mut callers| callers.agree(chain, is_cut, OUTERMOST))
}

/// The context of the caller by rules alone.
#[cold]
fn by_rules(
    settings: Settings,
    walker: Option<&Walker>,
    bounds: Bounds,
    registers: Registers,
) -> Option<Context> {
    walker::with_room(settings, SHORT, walker, |captured| {
        let mut callers = Callers::of(registers, bounds)?;
        for address in &mut callers {
            if !captured.push(address) {
                break;
            }
        }
        captured.beyond += missing(callers.rule()) as usize;
        captured.context()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::capture::settings;
    use crate::trace::capture::unwind_rules::tests::{both, here, through_no_frame};
    use crate::trace::thread::{self, Current};

    fn addresses(id: StackId) -> Vec<usize> {
        contexts::addresses(id).collect()
    }

    #[test]
    fn a_stack_through_c_without_frame_pointers_is_whole() {
        extern "C" fn compare() {
            let (_, unwound) = both();
            let Current::Running(thread) = thread::current() else { panic!("it is running") };
            for walker in [None, Some(&thread.walker), Some(&thread.walker)] {
                let id = stack_id(walker, thread::stack_bounds(), here());
                let id = id.expect("there is memory");
                let frames = addresses(id);
                // The first frame is this function's, and the outermost ones may be missing.
                assert!(unwound[1..].starts_with(&frames[1..]), "{frames:x?} {unwound:x?}");
                assert!(unwound.len() - frames.len() <= OUTERMOST, "{frames:x?} {unwound:x?}");
                assert_eq!(contexts::domain(id), contexts::C);
                assert_eq!(contexts::total(id) as usize, frames.len());
            }
        }
        extern "C" fn again() {
            through_no_frame(compare);
        }
        settings::deepen_for_checks(SHORT);
        through_no_frame(again);
    }

    #[test]
    fn a_stack_that_no_rule_leads_through_is_marked_as_cut() {
        thread::current();
        let registers = Registers { return_address: 0x1234, ..here() };
        let id = stack_id(None, thread::stack_bounds(), registers).expect("there is memory");
        assert_eq!(addresses(id), [0x1234]);
        assert_eq!(contexts::total(id), 2);
        // A stack that the program has switched to itself.
        let registers = Registers { stack: 16, ..here() };
        let id = stack_id(None, thread::stack_bounds(), registers).expect("there is memory");
        assert_eq!(addresses(id), [registers.return_address]);
        assert_eq!(contexts::total(id), 2);
    }

    #[test]
    fn a_chain_that_c_breaks_is_walked_by_rules() {
        extern "C" fn compare() {
            let (_, unwound) = both();
            let Current::Running(thread) = thread::current() else { panic!("it is running") };
            let bounds = thread.walker.bounds.get();
            // As if this function kept a frame pointer, and its caller had left 7 in the register.
            let words = [7_usize, here().return_address];
            let chain = contexts::root(0, 0).and_then(|root| root.call(words[1]));
            let chain = chain.expect("there is memory");
            assert!(!agrees(chain, false, bounds, here()));
            let context = by_rules(Settings::now(), Some(&thread.walker), bounds, here());
            let context = context.expect("there is memory");
            assert!(context.addresses().eq(unwound[1..].iter().copied()));
            assert!(agrees(context, false, bounds, here()));
        }
        settings::deepen_for_checks(SHORT);
        through_no_frame(compare);
    }
}
