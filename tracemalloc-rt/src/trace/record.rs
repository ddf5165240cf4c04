//! Records each allocation and forgets each free.
//!
//! An allocation, once the inner allocator has returned a block:
//! 1. one load says whether allocations are recorded at all, and what for; another whether the
//!    thread is ready for that: not paused, and with walks that remember the last one;
//! 2. the stack is walked as far as it differs from the last walk, and gets an id;
//! 3. the block is written to the shadow, and added to the thread's ledger, and to its part of the
//!    view.
//!
//! Nearly all allocations and frees take the fast path (`record_common`, `forget_common`). It
//! returns before anything is changed if anything is unusual; then `record_any` and `forget_any`
//! do the whole work.
//!
//! A free forgets the block *before* the inner allocator gets it back. Otherwise another thread
//! could be given the same address, and its note would be lost. A reallocation forgets the old
//! block, and then notes the new one, or the old one again where it failed. A block that C frees is
//! forgotten when its address is handed out again.
//!
//! Nothing here panics, allocates through the global allocator, or waits for anything but a short
//! lock when a stack or a thread is new.

use core::sync::atomic::Ordering;

use crate::trace::capture::{self, Here};
use crate::trace::control;
use crate::trace::guard::Guard;
use crate::trace::scope_table;
use crate::trace::shadow::{self, Block, Common};
use crate::trace::stack_id::StackId;
use crate::trace::state::{FOR_CHECKS, FOR_HARNESS, FOR_PROGRAM, MISSED, TRACING, UNDECIDED, Word};
use crate::trace::thread::{self, Current};

/// The path of a process that traces nothing. Because this function is cold, the compiler tests for
/// it last. (`hint::cold_path` says so without a call, but needs Rust 1.95.)
#[cold]
#[inline(never)]
fn untraced() {}

/// Records a block that the function `root` has just allocated. Inlined into `root`. Null is no
/// block.
#[inline(always)]
pub fn allocated(block: *mut u8, size: usize, root: *const ()) {
    let word = TRACING.word();
    if word.flags() == 0 {
        return untraced();
    }
    if record_common(block.addr(), size, word).is_some() {
        return;
    }
    // This is not the last thing that `root` does, so that its frame is still there during the
    // walk.
    if !block.is_null() && !record_any(block, size, Here::new(), root) {
        MISSED.fetch_add(1, Ordering::Relaxed);
    }
}

/// The fast path. It needs three things: the thread is registered and ready for this word; the walk
/// meets the last one; slot and account exist. Otherwise it returns `None`, and nothing is changed.
#[inline(always)]
fn record_common(address: usize, size: usize, word: Word) -> Option<()> {
    let thread = thread::running().filter(|thread| thread.walker.is_ready(word))?;
    let id = thread.walker.known_stack_id(Here::new())?;
    let place = Common::at(address)?;
    let account = thread.ledger.existing(id)?;
    let in_view = word.flags() & FOR_PROGRAM != 0;
    if !place.insert(Block { id, size, in_view }) {
        return None;
    }
    account.add(size as i64, 1);
    if in_view {
        thread.view.grew(size);
    }
    Some(())
}

/// Makes the current thread ready for the fast path, if everything is recorded, and no scope counts
/// its peak.
fn get_ready() {
    let word = TRACING.word_and_what_it_covers();
    let records_all =
        word.flags() & (FOR_HARNESS | FOR_PROGRAM) != 0 && word.flags() & UNDECIDED == 0;
    if !records_all || scope_table::counts_peaks() {
        return;
    }
    if let Some(thread) = thread::running().filter(|thread| !thread.walker.is_ready(word)) {
        thread.view.keep_level();
        thread.walker.get_ready(word);
    }
}

/// The slow path, for every block. False if there is no memory for the record.
#[inline(never)]
fn record_any(block: *mut u8, size: usize, here: Here, root: *const ()) -> bool {
    let mut tracing = TRACING.flags();
    if tracing & UNDECIDED != 0 {
        tracing = control::decided();
        if tracing == 0 {
            return true;
        }
    }
    let _guard = Guard::hold();
    get_ready();
    // A block that is still known here was freed past the runtime: by C, or by a plugin with a std
    // of its own.
    forget_any(block.addr());
    match stack_of_caller(here, root, tracing) {
        Stack::None => true,
        Stack::Missed => false,
        Stack::Of(id) => note(
            block.addr(),
            Block { id, size, in_view: tracing & FOR_PROGRAM != 0 && id != StackId::OURS },
        ),
    }
}

/// Why a block is not tracked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untracked {
    NotTracing,
    NoMemory,
}

/// Records a block of any domain that the program names. A known block is replaced. The harness and
/// checks count the block even if the program does not trace.
#[inline(always)]
pub fn track(domain: u32, address: usize, size: usize) -> Result<(), Untracked> {
    let tracing = control::decided();
    if tracing != 0 && !record_tracked(domain, address, size, tracing) {
        return Err(Untracked::NoMemory);
    }
    if tracing & FOR_PROGRAM != 0 { Ok(()) } else { Err(Untracked::NotTracing) }
}

/// Forgets a block of any domain that the program names.
pub fn untrack(domain: u32, address: usize) -> Result<(), Untracked> {
    forget_tracked(domain, address);
    if control::is_tracing() { Ok(()) } else { Err(Untracked::NotTracing) }
}

/// False if there is no memory for the record.
#[inline(never)]
fn record_tracked(domain: u32, address: usize, size: usize, tracing: u8) -> bool {
    let root = record_tracked as *const ();
    let tracked = match stack_of_caller(Here::new(), root, tracing) {
        Stack::None | Stack::Of(StackId::OURS) => true,
        Stack::Missed => false,
        Stack::Of(id) => {
            forget_tracked(domain, address);
            let block = Block { id, size, in_view: tracing & FOR_PROGRAM != 0 };
            note_in(block, || shadow::insert_in(domain, address, block))
        }
    };
    if !tracked {
        MISSED.fetch_add(1, Ordering::Relaxed);
    }
    tracked
}

fn forget_tracked(domain: u32, address: usize) {
    if let Some(known) = shadow::remove_from(domain, address) {
        forgotten(known);
    }
}

/// The stack that a block is recorded under.
enum Stack {
    /// None: the block is not recorded.
    None,
    /// None: there is no memory for the stack.
    Missed,
    /// The stack with this id.
    Of(StackId),
}

/// The stack that leads to the function `root`, whose frame is `here`; or [`StackId::OURS`].
fn stack_of_caller(here: Here, root: *const (), tracing: u8) -> Stack {
    let only_scopes = tracing == FOR_CHECKS;
    let id = match thread::current() {
        Current::Running(thread) if thread.walker.is_paused() => return Stack::Of(StackId::OURS),
        Current::Running(thread) if only_scopes && thread.walker.scope() == 0 => {
            return Stack::None;
        }
        Current::Running(thread) => thread.walker.stack_id(here, root),
        Current::Ended if only_scopes => return Stack::None,
        Current::Ended => capture::stack_id_without_walker(thread::stack_bounds(), here, root),
        Current::Starting => return Stack::None,
    };
    id.map_or(Stack::Missed, Stack::Of)
}

/// Records a block of the allocator. False if there is no memory for the record.
pub fn note(address: usize, block: Block) -> bool {
    note_in(block, || shadow::insert(address, block))
}

fn note_in(block: Block, insert: impl FnOnce() -> bool) -> bool {
    if !thread::add(block.id, block.size as i64, 1) {
        return false;
    }
    if !insert() {
        thread::add(block.id, -(block.size as i64), -1);
        return false;
    }
    if block.in_view {
        thread::grew_view(block.size);
    }
    scope_table::count_bytes(block.id, block.size as i64);
    true
}

/// The fast path of a free: forgets a block that is about to be freed, and returns it. Otherwise it
/// returns `None`, and has changed nothing.
#[inline(always)]
pub fn forget_common(address: usize) -> Option<Block> {
    // The thread comes first, because the access may be a call.
    let thread = thread::running()?;
    let place = Common::at(address).filter(|_| !scope_table::counts_peaks())?;
    let (known, first) = place.get()?;
    let account = thread.ledger.existing(known.id)?;
    if !place.clear(first) {
        return None;
    }
    account.add(-(known.size as i64), -1);
    if known.in_view {
        thread.view.shrank(known.size);
    }
    Some(known)
}

/// Notes the old block again, after the inner allocator has failed to make it larger.
pub fn reallocation_failed(block: *mut u8, old: Option<Block>) {
    if old.is_some_and(|old| !note(block.addr(), old)) {
        MISSED.fetch_add(1, Ordering::Relaxed);
    }
}

/// The slow path of a free, for every block. `None` if the block is unknown.
#[inline(never)]
pub fn forget_any(address: usize) -> Option<Block> {
    let known = shadow::remove(address)?;
    forgotten(known);
    Some(known)
}

fn forgotten(known: Block) {
    if !thread::add(known.id, -(known.size as i64), -1) {
        MISSED.fetch_add(1, Ordering::Relaxed);
    }
    if known.in_view {
        thread::shrank_view(known.size);
    }
    scope_table::count_bytes(known.id, -(known.size as i64));
}
