//! Checks whether the stack of an ended thread is still as the thread left it.

use core::ptr;

use crate::heap::linux::maps::{self, Mapping};
pub use crate::trace::thread_stacks::{ThreadStack, all, current_pointer, of};

impl ThreadStack {
    /// Whether this is still the stack that the C library keeps, and not other memory at the same
    /// address: it is mapped as it was, with its guard below it, and the description of its
    /// thread still names itself.
    pub fn is_as_its_thread_left_it(&self, mappings: &[Mapping]) -> bool {
        let Some(mapping) = maps::find(mappings, self.low) else { return false };
        let is_whole = mapping.start == self.low && mapping.end >= self.high && mapping.writable;
        is_whole && (self.low..self.high - 24).contains(&self.thread_pointer) && self.names_itself()
    }

    /// On x86-64, the GNU C library's description of a thread has its own address in its first and
    /// third word.
    fn names_itself(&self) -> bool {
        if !cfg!(all(target_arch = "x86_64", target_env = "gnu")) {
            return cfg!(target_env = "gnu");
        }
        [0, 16].iter().all(|offset| {
            // SAFETY: the caller has seen that it is mapped, and a word below the end.
            let word = unsafe {
                ptr::with_exposed_provenance::<usize>(self.thread_pointer + offset).read_unaligned()
            };
            word == self.thread_pointer
        })
    }
}
