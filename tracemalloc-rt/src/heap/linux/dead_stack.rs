//! The stack of an ended thread, which the C library keeps for the next thread.

use core::ptr;

use crate::heap::linux::maps::{self, Mapping};
use crate::trace::thread_stacks::ThreadStack;

/// Whether the stack of an ended thread is still as the thread left it, and the address is not used
/// for other memory. It is mapped as before, its guard lies below it, and the description of its
/// thread still contains its own address.
///
/// Since version 2.42, the guard may be a part of the same mapping, and so may other stacks. Then
/// the description alone tells.
pub fn is_untouched(stack: &ThreadStack, mappings: &[Mapping]) -> bool {
    let Some(mapping) = maps::find(mappings, stack.low) else { return false };
    let is_whole = mapping.end >= stack.high && mapping.writable && !mapping.shared;
    is_whole
        && (mapping.start == stack.low || HAS_DESCRIPTIONS)
        && (stack.low..stack.high - 24).contains(&stack.thread_pointer)
        && has_description(stack)
}

/// Whether the C library's descriptions of threads are known.
const HAS_DESCRIPTIONS: bool = cfg!(all(target_arch = "x86_64", target_env = "gnu"));

/// On x86-64, the GNU C library's description of a thread has its own address in its first and
/// third word.
fn has_description(stack: &ThreadStack) -> bool {
    if !HAS_DESCRIPTIONS {
        return cfg!(target_env = "gnu");
    }
    [0, 16].iter().all(|offset| {
        // SAFETY: the caller has checked that the stack is mapped, and that the three words lie
        // below its end.
        let word = unsafe {
            ptr::with_exposed_provenance::<usize>(stack.thread_pointer + offset).read_unaligned()
        };
        word == stack.thread_pointer
    })
}
