//! The memory that the harness has freed before the program's `main`.
//!
//! Blocks that the program allocates there, and does not write as a whole, would have the harness's
//! old pointers in them. Those may point to where a lost block is.

use std::ptr;

/// The sizes of blocks that C keeps in lists, by their steps.
const STEP: usize = 16;
const CLASSES: usize = 65;
/// The number of blocks of one size. C's list for a thread has 7.
const EACH: usize = 16;

/// Overwrites freed memory, as far as C hands it out again.
pub fn overwrite() {
    let mut blocks = [[ptr::null_mut(); EACH]; CLASSES];
    for (class, blocks) in blocks.iter_mut().enumerate() {
        for block in blocks {
            // SAFETY: any size may be asked for.
            *block = unsafe { libc::calloc(1, (class + 1) * STEP) };
        }
    }
    for block in blocks.into_iter().flatten() {
        // SAFETY: the block comes from `calloc`, or is null, and nothing else has it.
        unsafe { libc::free(block) };
    }
    // SAFETY: the function only gives free memory back to the system.
    unsafe { libc::malloc_trim(0) };
}
