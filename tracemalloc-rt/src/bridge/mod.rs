//! How code finds the tracing runtime of its program, whoever installed it.
//!
//! There may be two copies of this crate in one program: the one that `cargo tracemalloc` injects,
//! and the one that the program names itself. Only one is in the global allocator. So the other
//! asks for zeroed memory of a layout that nobody else asks for. A tracing allocator recognises it
//! and writes the address of its own [`Table`] there; any other returns zeroes. A layout is
//! compared where memory has to be zeroed anyway, so the hot path pays nothing.
//!
//! Every function of the public interface then goes through that table. It has C's calling
//! convention and no types of ours, so that copies of different versions, or built with different
//! features, understand each other, as long as the table has the same form, which [`FORM`] counts.

pub mod held;
pub mod test_limits;
mod text;

use core::alloc::Layout;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::bridge::held::Held;
use crate::bridge::test_limits::Asked;
use crate::error::Error;
use crate::trace::record::Untracked;
use crate::trace::stack_id::StackId;

/// 56 bytes on a boundary of 32 KiB.
const LAYOUT: Layout = match Layout::from_size_align(56, 1 << 15) {
    Ok(layout) => layout,
    Err(_) => panic!("the alignment is a power of two"),
};

const MAGIC: u64 = u64::from_ne_bytes(*b"tracemal");
/// Counts the forms that [`Table`] has had, behind its first four fields, which stay.
const FORM: u32 = 2;

/// What a runtime offers to other copies of itself.
#[repr(C)]
pub struct Table {
    magic: u64,
    form: u32,
    version_len: u32,
    version: *const u8,
    pub start: extern "C" fn(nframe: u32),
    pub stop: extern "C" fn(),
    pub is_tracing: extern "C" fn() -> bool,
    pub clear_traces: extern "C" fn(),
    pub traced_memory: extern "C" fn(peak: &mut u64) -> u64,
    pub reset_peak: extern "C" fn(),
    pub tracer_memory: extern "C" fn() -> u64,
    pub traceback_limit: extern "C" fn() -> u32,
    /// 0, -1 for want of memory, -2 when the program does not trace.
    pub track: extern "C" fn(domain: u32, address: usize, size: usize) -> i32,
    pub untrack: extern "C" fn(domain: u32, address: usize) -> i32,
    /// The stack of the block at an address, or 0.
    pub stack_of: extern "C" fn(address: usize) -> u32,
    /// Calls `visit` with its context and domain, size and stack of each block. False when the
    /// program does not trace.
    pub for_each:
        extern "C" fn(context: *mut u8, visit: extern "C" fn(*mut u8, u32, u64, u32)) -> bool,
    /// Calls `visit` with its context and each return address, innermost first, and says how many
    /// frames the stack had.
    pub stack:
        extern "C" fn(id: u32, context: *mut u8, visit: extern "C" fn(*mut u8, usize)) -> u32,
    /// Leaves out what the current thread allocates, until it is taken back. Nests.
    pub pause: extern "C" fn(on: bool),
    /// A new scope for a check, in which stacks have at least so many frames; 0 for want of
    /// memory.
    pub scope_begin: extern "C" fn(depth: u32, counts_peak: bool) -> u32,
    /// The check is over.
    pub scope_end: extern "C" fn(scope: u32),
    /// Has the current thread allocate in this scope, or in none (0), and gives the one before.
    pub scope_enter: extern "C" fn(scope: u32) -> u32,
    /// The scope of the current thread, or 0.
    pub scope_of_thread: extern "C" fn() -> u32,
    /// Counts a thread that is about to be started in this scope, or, if `starts` is false, one that
    /// could not be started.
    pub scope_count_thread: extern "C" fn(scope: u32, starts: bool),
    /// The current thread has just begun, and was counted in this scope.
    pub scope_hand_down: extern "C" fn(scope: u32),
    /// How many threads run that the scope was handed down to.
    pub scope_threads: extern "C" fn(scope: u32) -> u32,
    /// The most bytes that were live at once.
    pub scope_peak: extern "C" fn(scope: u32) -> u64,
    /// Calls `visit` with its context and stack, live bytes and live blocks of each stack of a
    /// scope.
    pub scope_for_each:
        extern "C" fn(scope: u32, context: *mut u8, visit: extern "C" fn(*mut u8, u32, i64, i64)),
    /// How many blocks could not be recorded so far.
    pub missed: extern "C" fn() -> u64,
    /// Asks the harness to judge its running test by these limits. False where the test is another
    /// one, or none.
    pub ask: extern "C" fn(asked: &Asked) -> bool,
    /// Calls `visit` with its context and each holder. Returns null, or, with its length, a text
    /// that says why the heap could not be searched. The calling thread's stack below the address
    /// `stack_from` does not count.
    pub holders: extern "C" fn(
        stack_from: usize,
        context: *mut u8,
        visit: extern "C" fn(*mut u8, &Held),
        why_len: &mut usize,
    ) -> *const u8,
}

// SAFETY: nothing in a table is ever written, and its pointers are to constants and functions.
unsafe impl Sync for Table {}

/// This copy's own table.
pub static TABLE: Table = Table {
    magic: MAGIC,
    form: FORM,
    version_len: VERSION.len() as u32,
    version: VERSION.as_ptr(),
    start: table::start,
    stop: table::stop,
    is_tracing: table::is_tracing,
    clear_traces: table::clear_traces,
    traced_memory: table::traced_memory,
    reset_peak: table::reset_peak,
    tracer_memory: table::tracer_memory,
    traceback_limit: table::traceback_limit,
    track: table::track,
    untrack: table::untrack,
    stack_of: table::stack_of,
    for_each: table::for_each,
    stack: table::stack,
    pause: table::pause,
    scope_begin: table::scope_begin,
    scope_end: table::scope_end,
    scope_enter: table::scope_enter,
    scope_of_thread: table::scope_of_thread,
    scope_count_thread: table::scope_count_thread,
    scope_hand_down: table::scope_hand_down,
    scope_threads: table::scope_threads,
    scope_peak: table::scope_peak,
    scope_for_each: table::scope_for_each,
    missed: table::missed,
    ask: table::ask,
    holders: table::holders,
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The return addresses of a stack of the installed runtime, innermost first.
pub fn addresses(stack: StackId) -> Vec<usize> {
    installed().map_or_else(|_| Vec::new(), |table| table.addresses(stack.0).0)
}

impl Table {
    /// The return addresses of a stack, innermost first, and how many frames it had before it was
    /// cut.
    pub fn addresses(&self, stack: u32) -> (Vec<usize>, u32) {
        extern "C" fn push(addresses: *mut u8, address: usize) {
            // SAFETY: the vector below, which nobody else refers to meanwhile.
            unsafe { &mut *addresses.cast::<Vec<usize>>() }.push(address);
        }
        let mut addresses = Vec::new();
        let total = (self.stack)(stack, (&raw mut addresses).cast(), push);
        (addresses, total)
    }
}

/// Answers the question, where an allocation is one. `block` is zeroed memory of this layout, or
/// null.
#[inline(always)]
pub fn answer(block: *mut u8, layout: Layout) {
    if layout == LAYOUT && !block.is_null() {
        // SAFETY: the block is at least as large and as aligned as a pointer, and nobody else has
        // seen it yet.
        unsafe { block.cast::<*const Table>().write(&raw const TABLE) };
    }
}

/// Whether the program's global allocator traces: some copy of this crate that this one understands
/// is in it, inside a [`Tracemalloc`](crate::Tracemalloc). Under `cargo tracemalloc`, that is the
/// copy that it links.
///
/// ```
/// use tracemalloc::Tracemalloc;
///
/// #[global_allocator]
/// static ALLOCATOR: Tracemalloc = Tracemalloc::system();
///
/// assert!(tracemalloc::is_installed());
/// ```
pub fn is_installed() -> bool {
    installed().is_ok()
}

/// Whether it is this copy.
pub fn is_this_copy_installed() -> bool {
    ptr::eq(ask(), &raw const TABLE)
}

/// The table of the runtime that is in this program's global allocator.
pub fn installed() -> Result<&'static Table, Error> {
    /// Null before anybody has asked; then the table, or [`NONE`].
    static KNOWN: AtomicPtr<Table> = AtomicPtr::new(ptr::null_mut());
    const NONE: *mut Table = ptr::without_provenance_mut(1);
    let mut known = KNOWN.load(Ordering::Acquire);
    if known.is_null() {
        let found = ask().cast_mut();
        known = if found.is_null() { NONE } else { found };
        KNOWN.store(known, Ordering::Release);
    }
    if known == NONE {
        return Err(Error::NotInstalled);
    }
    // SAFETY: what a tracing allocator answers with is a table of its own, which is a static and
    // begins with these fields.
    let table = unsafe { &*known };
    if table.magic != MAGIC || table.form != FORM {
        // SAFETY: the fields up to here are those of every form.
        let version =
            unsafe { core::slice::from_raw_parts(table.version, table.version_len as usize) };
        return Err(Error::OtherVersion {
            installed: String::from_utf8_lossy(version).into_owned(),
        });
    }
    Ok(table)
}

/// Asks the global allocator. Null where it does not trace.
fn ask() -> *const Table {
    // SAFETY: the layout's size is not zero; the block is freed with the layout that it was asked
    // for with. It is read as the pointer that may be in it, for which it is large and aligned
    // enough, and zeroes are a null pointer. The optimiser knows that fresh memory is zero, so
    // it must not see where this memory comes from.
    unsafe {
        let block = std::hint::black_box(std::alloc::alloc_zeroed(LAYOUT));
        if block.is_null() {
            return ptr::null();
        }
        let found = block.cast::<*const Table>().read_volatile();
        std::alloc::dealloc(block, LAYOUT);
        found
    }
}

/// The functions of [`TABLE`].
mod table {
    use super::{Asked, Held, StackId, Untracked, test_limits};
    use crate::heap;
    use crate::heap::Holdings;
    use crate::os::memory;
    use crate::trace::{contexts, control, live, record, scope, scope_table, thread, view};
    use crate::util::sort::sort_by_key;

    pub extern "C" fn start(nframe: u32) {
        control::start(nframe);
    }

    pub extern "C" fn stop() {
        control::stop();
    }

    pub extern "C" fn is_tracing() -> bool {
        control::is_tracing()
    }

    pub extern "C" fn clear_traces() {
        control::clear();
    }

    pub extern "C" fn traced_memory(peak: &mut u64) -> u64 {
        let (now, most) = control::traced_memory();
        *peak = most;
        now
    }

    pub extern "C" fn reset_peak() {
        control::reset_peak();
    }

    pub extern "C" fn tracer_memory() -> u64 {
        memory::in_use()
    }

    pub extern "C" fn traceback_limit() -> u32 {
        view::limit()
    }

    #[inline(never)]
    pub extern "C" fn track(domain: u32, address: usize, size: usize) -> i32 {
        code(record::track(domain, address, size))
    }

    pub extern "C" fn untrack(domain: u32, address: usize) -> i32 {
        code(record::untrack(domain, address))
    }

    fn code(result: Result<(), Untracked>) -> i32 {
        match result {
            Ok(()) => 0,
            Err(Untracked::NoMemory) => -1,
            Err(Untracked::NotTracing) => -2,
        }
    }

    pub extern "C" fn stack_of(address: usize) -> u32 {
        control::stack_of(address).map_or(0, |id| id.0)
    }

    pub extern "C" fn holders(
        stack_from: usize,
        context: *mut u8,
        visit: extern "C" fn(*mut u8, &Held),
        why_len: &mut usize,
    ) -> *const u8 {
        let why = match heap::holdings(stack_from) {
            Ok(Holdings { doubt: Some(why), .. }) | Err(why) => why,
            Ok(Holdings { held, lost_bytes, lost_blocks, .. }) => {
                let lost = Held::lost(lost_bytes, lost_blocks);
                let mut all: Vec<Held> = held.iter().map(Held::of).chain([lost]).collect();
                all.retain(|held| held.blocks > 0);
                sort_by_key(&mut all, |held| core::cmp::Reverse((held.bytes, held.blocks)));
                for held in &all {
                    visit(context, held);
                }
                return core::ptr::null();
            }
        };
        *why_len = why.len();
        why.as_ptr()
    }

    pub extern "C" fn for_each(
        context: *mut u8,
        visit: extern "C" fn(*mut u8, u32, u64, u32),
    ) -> bool {
        control::for_each(&mut |domain, size, id| visit(context, domain, size, id.0))
    }

    pub extern "C" fn stack(
        id: u32,
        context: *mut u8,
        visit: extern "C" fn(*mut u8, usize),
    ) -> u32 {
        contexts::addresses(StackId(id)).for_each(|address| visit(context, address));
        contexts::total(StackId(id))
    }

    pub extern "C" fn pause(on: bool) {
        if on { thread::begin_pause() } else { thread::end_pause() }
    }

    pub extern "C" fn scope_begin(depth: u32, counts_peak: bool) -> u32 {
        scope::begin(depth as usize, counts_peak)
    }

    pub extern "C" fn scope_end(scope: u32) {
        scope::end(scope);
    }

    pub extern "C" fn scope_enter(scope: u32) -> u32 {
        thread::enter_scope(scope)
    }

    pub extern "C" fn scope_of_thread() -> u32 {
        thread::scope()
    }

    pub extern "C" fn scope_count_thread(scope: u32, starts: bool) {
        scope_table::count_thread(scope, starts);
    }

    pub extern "C" fn scope_hand_down(scope: u32) {
        thread::hand_down(scope);
    }

    pub extern "C" fn scope_threads(scope: u32) -> u32 {
        scope_table::threads(scope)
    }

    pub extern "C" fn scope_peak(scope: u32) -> u64 {
        scope_table::peak(scope)
    }

    pub extern "C" fn scope_for_each(
        scope: u32,
        context: *mut u8,
        visit: extern "C" fn(*mut u8, u32, i64, i64),
    ) {
        scope::for_each(scope, &mut |stack, balance| {
            visit(context, stack.0, balance.bytes, balance.blocks)
        });
    }

    pub extern "C" fn missed() -> u64 {
        live::missed()
    }

    pub extern "C" fn ask(asked: &Asked) -> bool {
        test_limits::ask(asked)
    }
}
