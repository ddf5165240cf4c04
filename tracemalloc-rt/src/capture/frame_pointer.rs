//! Walks the chain of frame pointers.
//!
//! On x86-64 and AArch64 a frame pointer points to the caller's frame pointer, with the return address in the word
//! above. Code that keeps no frame pointers may leave anything in the register, so a step is only taken to an address
//! that is aligned, higher than the last one, and inside the stack of the current thread: there every word can be
//! read, so the walk never faults; at worst it ends early or names a wrong caller.

use super::Captured;
use crate::thread;

/// False where the walk cannot start: another architecture, a stack of unknown bounds, or one that the program has
/// switched to itself.
#[inline(always)]
pub fn walk(captured: &mut Captured) -> bool {
    let Some(mut frame) = frame_pointer() else { return false };
    let (low, high) = thread::stack_bounds();
    if frame < low || frame >= high {
        return false;
    }
    let last = high - 2 * size_of::<usize>();
    loop {
        if frame > last || !frame.is_multiple_of(size_of::<usize>()) {
            break;
        }
        let words = core::ptr::with_exposed_provenance::<usize>(frame);
        // SAFETY: `frame` is aligned, and both words lie between a frame of this thread and the end of its stack,
        // which is mapped and readable as long as the thread runs.
        let (next, return_address) = unsafe { (words.read_volatile(), words.add(1).read_volatile()) };
        if return_address == 0 {
            break;
        }
        if !captured.push(strip(return_address)) || next <= frame {
            break;
        }
        frame = next;
    }
    true
}

#[inline(always)]
fn frame_pointer() -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    {
        let frame: usize;
        // SAFETY: copies a register.
        unsafe { core::arch::asm!("mov {}, rbp", out(reg) frame, options(nomem, nostack, preserves_flags)) };
        Some(frame)
    }
    #[cfg(target_arch = "aarch64")]
    {
        let frame: usize;
        // SAFETY: copies a register.
        unsafe { core::arch::asm!("mov {}, x29", out(reg) frame, options(nomem, nostack, preserves_flags)) };
        Some(frame)
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    None
}

/// Takes the signature of pointer authentication off a return address.
#[inline(always)]
fn strip(address: usize) -> usize {
    if cfg!(target_arch = "aarch64") { address & ((1 << 48) - 1) } else { address }
}
