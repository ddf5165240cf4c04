//! Records the blocks that C allocates, and forgets those that C frees.
//!
//! `malloc`, `free` and the like call this in any state of the process. Examples are before `main`,
//! while a thread starts or ends, and between `fork` and its child. So it is guarded more than the
//! allocator of Rust:
//!
//! - Nothing is recorded before tracing is decided, and nothing here decides it.
//! - While the tracer works on this thread, or an inner allocator does, or the thread is forking,
//!   blocks are not recorded. Frees then take the way that needs no lock.
//! - While the thread is paused, blocks are not recorded either. They may be the C library's own,
//!   which lead to other blocks, so a search must follow pointers in them.
//! - `errno` stays as it is.

use core::ffi::CStr;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::trace::capture::c_stack;
use crate::trace::capture::unwind_rules;
use crate::trace::capture::unwind_rules::rule::Registers;
use crate::trace::contexts;
use crate::trace::guard::Guard;
use crate::trace::mismatches;
use crate::trace::record::{flags_for, forget_any, forget_common, note};
use crate::trace::shadow::Block;
use crate::trace::stack_id::StackId;
use crate::trace::state::{FOR_CHECKS, FOR_HARNESS, FOR_PROGRAM, MISSED, TRACING, UNDECIDED};
use crate::trace::thread::{self, Current};

/// Code whose blocks are not recorded: its first addresses, and its sizes.
///
/// These blocks live as long as modules and threads do, and no program frees them itself. Some are
/// the loader's, which also calls `malloc` with its own locks held. Others are those of functions
/// of the C library that keep a thread's destructors and values.
static LEFT_OUT: [(AtomicUsize, AtomicUsize); 3] =
    [const { (AtomicUsize::new(0), AtomicUsize::new(0)) }; 3];
const OF_THREADS: [&CStr; 2] = [c"__cxa_thread_atexit_impl", c"pthread_setspecific"];

/// Prepares what later calls may not look up.
pub fn prepare() {
    // The main thread is registered before the C library may be in the middle of anything.
    thread::current();
    // From now on C closes libraries by a function of ours.
    unwind_rules::forgets();
    // SAFETY: takes a number.
    let loader = unsafe { libc::getauxval(libc::AT_BASE) } as usize;
    let functions = OF_THREADS.map(|name| {
        // SAFETY: looks up a name that ends in a zero.
        let function = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
        unwind_rules::function_of(function.addr())
    });
    let left_out = [unwind_rules::module_of(loader)].into_iter().chain(functions);
    for (place, (begin, end)) in LEFT_OUT.iter().zip(left_out.flatten()) {
        place.0.store(begin, Ordering::Relaxed);
        place.1.store(end - begin, Ordering::Relaxed);
    }
}

/// Whether C's blocks are in the program's view. A test that traces for itself sees the blocks of
/// Rust alone, as it does without the command.
static IN_VIEW: AtomicBool = AtomicBool::new(false);

/// Puts blocks that C allocates from now on into the program's view too.
pub fn show_in_view() {
    IN_VIEW.store(true, Ordering::Relaxed);
}

/// Records a block that C has just allocated. `registers` are those of the caller of `malloc`.
pub fn allocated(block: usize, size: usize, registers: Registers) {
    let tracing = TRACING.flags();
    if block == 0 || tracing == 0 || tracing & UNDECIDED != 0 || is_left_out(registers) {
        return;
    }
    let Some(_guard) = Guard::enter() else { return };
    let _errno = Errno::keep();
    let tracing = flags_for(size);
    if tracing == 0 {
        return;
    }
    let Some(id) = stack(registers, tracing) else { return };
    let in_view = tracing & FOR_PROGRAM != 0 && IN_VIEW.load(Ordering::Relaxed);
    let recorded = id.is_some_and(|id| note::<true>(block, Block { id, size, in_view }));
    if !recorded {
        MISSED.fetch_add(1, Ordering::Relaxed);
    }
}

/// Forgets a block that C is about to free, or to make larger. Returns it if it was known.
/// `registers` are those of the caller of `free`.
#[inline]
pub fn freed(block: usize, registers: Registers) -> Option<Block> {
    forget_common::<true, true>(block).unwrap_or_else(|_| freed_any(block, registers))
}

/// Notes a block again, after C has failed to make it larger.
pub fn reallocation_failed(block: usize, old: Block) {
    let _errno = Errno::keep();
    let Some(_guard) = Guard::enter() else { return };
    let noted = if contexts::domain(old.id) == contexts::C {
        note::<true>(block, old)
    } else {
        note::<false>(block, old)
    };
    if !noted {
        MISSED.fetch_add(1, Ordering::Relaxed);
    }
}

/// The work of [`freed`] that may take a lock.
#[cold]
#[inline(never)]
fn freed_any(block: usize, registers: Registers) -> Option<Block> {
    let Some(_guard) = Guard::enter() else {
        // No lock may be taken. A block of Rust can be forgotten all the same.
        return forget_common::<true, false>(block).ok().flatten();
    };
    let _errno = Errno::keep();
    let known = forget_any(block)?;
    if mismatches::is_one(known.id, contexts::C) {
        if let Some(Some(freed)) = stack(registers, FOR_HARNESS) {
            mismatches::note(known.id, freed);
        }
    }
    Some(known)
}

/// Whether the caller's blocks are not recorded.
fn is_left_out(registers: Registers) -> bool {
    LEFT_OUT.iter().any(|(begin, size)| {
        let begin = begin.load(Ordering::Relaxed);
        registers.return_address.wrapping_sub(begin) < size.load(Ordering::Relaxed)
    })
}

/// The stack of a block; `Some(None)` if there is no memory for it, and `None` if the block is not
/// to be recorded.
fn stack(registers: Registers, tracing: u8) -> Option<Option<StackId>> {
    let only_scopes = tracing == FOR_CHECKS;
    let walker = match thread::current() {
        Current::Running(thread) if thread.walker.is_paused() => return None,
        Current::Running(thread) if only_scopes && thread.walker.scope() == 0 => return None,
        Current::Running(thread) => Some(&thread.walker),
        Current::Ended if only_scopes => return None,
        Current::Ended => None,
        Current::Starting => return None,
    };
    Some(c_stack::stack_id(walker, thread::stack_bounds(), registers))
}

/// Puts `errno` back when it is dropped.
struct Errno(i32);

impl Errno {
    fn keep() -> Self {
        // SAFETY: a word of this thread.
        Self(unsafe { *libc::__errno_location() })
    }
}

impl Drop for Errno {
    fn drop(&mut self) {
        // SAFETY: a word of this thread.
        unsafe { *libc::__errno_location() = self.0 };
    }
}
