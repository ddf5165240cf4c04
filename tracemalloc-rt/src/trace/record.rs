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
use crate::trace::contexts;
use crate::trace::control;
use crate::trace::guard::Guard;
use crate::trace::mismatches;
use crate::trace::scope_table;
use crate::trace::shadow::{self, ALLOCATOR, Block, Common};
use crate::trace::stack_id::StackId;
use crate::trace::state::{
    FOR_CHECKS, FOR_HARNESS, FOR_PROGRAM, MISSED, SAMPLED, TRACING, UNDECIDED, Word,
};
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
    let recorded = match word.flags() {
        FOR_HARNESS => record_common::<false>(block.addr(), size, word),
        ONLY_SAMPLED if is_skipped(size, word) => return,
        0 => return untraced(),
        _ => record_common::<true>(block.addr(), size, word),
    };
    if recorded.is_some() {
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
///
/// If only the harness traces, `ANY` is false: no block is in the view, and no chain has to be
/// whole.
#[inline(always)]
fn record_common<const ANY: bool>(address: usize, size: usize, word: Word) -> Option<()> {
    let thread = thread::running().filter(|thread| thread.walker.is_ready(word))?;
    let id = thread.walker.known_stack_id::<ANY>(Here::without_address())?;
    let place = Common::at(address)?;
    let account = thread.ledger.existing(id)?;
    let in_view = ANY && word.flags() & FOR_PROGRAM != 0;
    if !place.insert::<false>(Block { id, size, in_view }) {
        return None;
    }
    account.add(size as i64, 1);
    if in_view {
        thread.view.grew(size);
    }
    Some(())
}

/// The flags while only the program's view records, and samples.
const ONLY_SAMPLED: u8 = FOR_PROGRAM | SAMPLED;

/// Whether no block of this size is sampled now.
#[inline(always)]
fn is_skipped(size: usize, word: Word) -> bool {
    thread::running().is_some_and(|thread| thread.sampler.skips(word, size))
}

/// The flags of those for which a block of this size is recorded.
pub fn flags_for(size: usize) -> u8 {
    let word = TRACING.word();
    let flags = word.flags();
    if flags & SAMPLED == 0
        || matches!(thread::current(), Current::Running(thread) if thread.sampler.takes(word, size))
    {
        flags
    } else {
        flags & !(FOR_PROGRAM | SAMPLED)
    }
}

/// Makes the current thread ready for the fast path, if everything is recorded, and no scope counts
/// its peak or its spending.
fn get_ready() {
    let word = TRACING.word_and_what_it_covers();
    let records_all = word.flags() & (FOR_HARNESS | FOR_PROGRAM) != 0
        && word.flags() & (UNDECIDED | SAMPLED) == 0;
    if !records_all || scope_table::counts_allocations() {
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
    if TRACING.flags() & UNDECIDED != 0 && control::decided() == 0 {
        return true;
    }
    let _guard = Guard::hold();
    get_ready();
    // A block that is still known here was freed past the runtime: by C, or by a plugin with a std
    // of its own.
    forget_any(block.addr());
    let tracing = flags_for(size);
    if tracing == 0 {
        return true;
    }
    match stack_of_caller(here, root, tracing) {
        Stack::None => true,
        Stack::Missed => false,
        Stack::Of(id) => {
            scope_table::count_allocation(id, size);
            let in_view = tracing & FOR_PROGRAM != 0 && id != StackId::OURS;
            note::<false>(block.addr(), Block { id, size, in_view })
        }
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
    // Blocks of the allocator's domain are sampled here, too.
    let wanted = if domain == ALLOCATOR { flags_for(size) } else { tracing };
    if wanted != 0 && !record_tracked(domain, address, size, wanted) {
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
            note_in(domain, block, || shadow::insert_in(domain, address, block))
        }
    };
    if !tracked {
        MISSED.fetch_add(1, Ordering::Relaxed);
    }
    tracked
}

fn forget_tracked(domain: u32, address: usize) {
    if let Some(known) = shadow::remove_from(domain, address) {
        forgotten(domain, known);
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

/// Records a block of Rust's allocator, or of C's if `OF_C`. False if there is no memory for the
/// record.
pub fn note<const OF_C: bool>(address: usize, block: Block) -> bool {
    note_in(ALLOCATOR, block, || shadow::insert::<OF_C>(address, block))
}

fn note_in(domain: u32, block: Block, insert: impl FnOnce() -> bool) -> bool {
    if !thread::add(block.id, block.size as i64, 1) {
        return false;
    }
    if !insert() {
        thread::add(block.id, -(block.size as i64), -1);
        return false;
    }
    if block.in_view {
        thread::grew_view(block.size, shadow::extra_in_view(domain, block));
    }
    scope_table::count_bytes(block.id, block.size as i64);
    true
}

/// The slow path has to decide; nothing is changed.
pub struct Uncommon;

/// Whether blocks may be in the program's view. Then [`forget_common`] has to expect `ANY` block.
#[inline(always)]
pub fn is_for_program() -> bool {
    TRACING.flags() & FOR_PROGRAM != 0
}

/// Whether a block is unknown while blocks are sampled, as nearly all are then. Nothing is left to
/// do for such a block.
#[inline(always)]
pub fn is_unsampled(address: usize) -> bool {
    TRACING.flags() & SAMPLED != 0
        && Common::at(address).is_some_and(|place| place.is_free())
        && shadow::all_in_map()
}

/// The fast path of a free: forgets a block that is about to be freed, and returns it, or `None` if
/// it is unknown. If `ANY` is false, blocks of the view are uncommon. Then nothing is called.
///
/// `OF_C` says that C frees. Blocks that the other language allocated are uncommon, too.
#[inline(always)]
pub fn forget_common<const ANY: bool, const OF_C: bool>(
    address: usize,
) -> Result<Option<Block>, Uncommon> {
    // The thread comes first, because the access may be a call.
    let thread = thread::running().ok_or(Uncommon)?;
    let place = Common::at(address).ok_or(Uncommon)?;
    let Some((known, first)) = place.get::<OF_C>() else {
        let is_unknown = ANY && place.is_free() && shadow::all_in_map();
        return if is_unknown { Ok(None) } else { Err(Uncommon) };
    };
    if scope_table::counts_peaks() || known.in_view && !ANY {
        return Err(Uncommon);
    }
    let account = thread.ledger.existing(known.id).ok_or(Uncommon)?;
    if !place.clear(first) {
        return Err(Uncommon);
    }
    account.add(-(known.size as i64), -1);
    if known.in_view {
        thread.view.shrank(known.size);
        thread.view.add_extra(-(shadow::extra_in_view(ALLOCATOR, known) as i64));
    }
    Ok(Some(known))
}

/// Forgets any block that the function `root` is about to free for Rust, and returns it if it is
/// known. Inlined into `root`.
#[inline(always)]
pub fn freed(address: usize, root: *const ()) -> Option<Block> {
    forget_common::<true, false>(address).unwrap_or_else(|_| freed_any(address, Here::new(), root))
}

/// The slow path of [`freed`].
#[inline(never)]
fn freed_any(address: usize, here: Here, root: *const ()) -> Option<Block> {
    let known = forget_any(address)?;
    if mismatches::is_one(known.id, contexts::RUST) {
        let _guard = Guard::hold();
        if let Stack::Of(freed) = stack_of_caller(here, root, FOR_HARNESS) {
            mismatches::note(known.id, freed);
        }
    }
    Some(known)
}

/// Notes the old block again, after the inner allocator has failed to make it larger.
pub fn reallocation_failed(block: *mut u8, old: Option<Block>) {
    if old.is_some_and(|old| !note::<false>(block.addr(), old)) {
        MISSED.fetch_add(1, Ordering::Relaxed);
    }
}

/// The slow path of a free, for every block. `None` if the block is unknown.
#[inline(never)]
pub fn forget_any(address: usize) -> Option<Block> {
    let known = shadow::remove(address)?;
    forgotten(ALLOCATOR, known);
    Some(known)
}

fn forgotten(domain: u32, known: Block) {
    if !thread::add(known.id, -(known.size as i64), -1) {
        MISSED.fetch_add(1, Ordering::Relaxed);
    }
    if known.in_view {
        thread::shrank_view(known.size, shadow::extra_in_view(domain, known));
    }
    scope_table::count_bytes(known.id, -(known.size as i64));
}
