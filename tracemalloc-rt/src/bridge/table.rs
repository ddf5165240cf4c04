//! The table of C functions by which two copies of the runtime meet.
//!
//! It has C's calling convention and no types of Rust, so that copies of different versions, or
//! with different features, understand each other. They do as long as the table has the same form,
//! which [`FORM`] counts.

use crate::bridge::check_request::CheckRequest;
use crate::bridge::heap_search::{FoundBlocks, Known, SearchEnd, SearchRequest};
use crate::bridge::held::Held;
use crate::bridge::{test_holders, test_limits};
use crate::trace::record::Untracked;
use crate::trace::stack_id::StackId;

pub const MAGIC: u64 = u64::from_ne_bytes(*b"tracemal");
/// Counts the forms that [`Table`] has had. Its first four fields stay the same in every form. The
/// sizes of what its functions exchange are added, so that a type that grows is another form, also
/// if its author forgets to count.
pub const FORM: u32 = 0x0004_0000 + SIZES as u32;

const SIZES: usize = size_of::<Table>()
    + size_of::<CheckRequest>()
    + size_of::<Held>()
    + size_of::<SearchRequest>()
    + size_of::<FoundBlocks>()
    + size_of::<Known>()
    + size_of::<SearchEnd>();

/// The functions that a runtime offers to other copies of itself.
#[derive(Debug)]
#[repr(C)]
pub struct Table {
    pub magic: u64,
    pub form: u32,
    pub version_len: u32,
    pub version: *const u8,
    /// With an interval that is not 0, one byte in so many is sampled.
    pub start: extern "C" fn(nframe: u32, interval: u64),
    pub stop: extern "C" fn(),
    pub is_tracing: extern "C" fn() -> bool,
    pub clear_traces: extern "C" fn(),
    pub traced_memory: extern "C" fn(peak: &mut u64) -> u64,
    pub reset_peak: extern "C" fn(),
    pub tracer_memory: extern "C" fn() -> u64,
    pub traceback_limit: extern "C" fn() -> u32,
    /// The interval of sampling, or 0.
    pub sample_interval: extern "C" fn() -> u64,
    /// 0, -1 if there is no memory, -2 if the program does not trace.
    pub track: extern "C" fn(domain: u32, address: usize, size: usize) -> i32,
    pub untrack: extern "C" fn(domain: u32, address: usize) -> i32,
    /// The stack of the block at an address, or 0.
    pub stack_of: extern "C" fn(address: usize) -> u32,
    /// Calls `visit` with its context and domain, size and stack of each block. False if the
    /// program does not trace.
    pub for_each:
        extern "C" fn(context: *mut u8, visit: extern "C" fn(*mut u8, u32, u64, u32)) -> bool,
    /// Calls `visit` with its context and each return address, innermost first. Returns the number
    /// of frames before the cut.
    pub stack:
        extern "C" fn(id: u32, context: *mut u8, visit: extern "C" fn(*mut u8, usize)) -> u32,
    /// The domain of a stack's blocks: 0 is Rust's, and 1 is C's.
    pub domain: extern "C" fn(stack: u32) -> u32,
    /// Leaves out what the current thread allocates, until it is taken back. Nests.
    pub pause: extern "C" fn(on: bool),
    /// A new scope for a check, in which stacks keep at least so many frames; 0 if there is no
    /// memory. It may count its peak, and its spending: all that it allocates, freed or not.
    pub scope_begin: extern "C" fn(depth: u32, peak: bool, spending: bool) -> u32,
    /// The check is over.
    pub scope_end: extern "C" fn(scope: u32),
    /// Lets the current thread allocate in this scope, or in none (0). Returns the scope before.
    pub scope_enter: extern "C" fn(scope: u32) -> u32,
    /// The scope of the current thread, or 0.
    pub scope_of_thread: extern "C" fn() -> u32,
    /// Counts a thread that is about to be started in this scope, or, if `starts` is false, one
    /// that could not be started.
    pub scope_count_thread: extern "C" fn(scope: u32, starts: bool),
    /// The current thread has just begun, and was counted in this scope.
    pub scope_hand_down: extern "C" fn(scope: u32),
    /// The number of running threads that the scope was handed down to.
    pub scope_threads: extern "C" fn(scope: u32) -> u32,
    /// The most bytes that were live at once.
    pub scope_peak: extern "C" fn(scope: u32) -> u64,
    /// Calls `visit` with its context and stack, live bytes and live blocks of each stack of a
    /// scope.
    pub scope_for_each:
        extern "C" fn(scope: u32, context: *mut u8, visit: extern "C" fn(*mut u8, u32, i64, i64)),
    /// Calls `visit` with its context and stack, bytes and number of all allocations of each stack
    /// of a scope that counts its spending.
    pub scope_spending:
        extern "C" fn(scope: u32, context: *mut u8, visit: extern "C" fn(*mut u8, u32, i64, i64)),
    /// The number of blocks that could not be recorded so far.
    pub missed: extern "C" fn() -> u64,
    /// Asks the harness to judge its running test by these limits. False if another test runs, or
    /// none.
    pub request_check: extern "C" fn(request: &CheckRequest) -> bool,
    /// Calls `visit` with its context and each holder. Returns null, or, with its length, a text
    /// that says why the heap could not be searched. The calling thread's stack below the address
    /// `stack_from` does not count.
    pub holders: extern "C" fn(
        stack_from: usize,
        context: *mut u8,
        visit: extern "C" fn(*mut u8, &Held),
        why_len: &mut usize,
    ) -> *const u8,
    /// Searches the heap for the blocks of some stacks. Calls `visit` with its context and the
    /// blocks of each fate.
    pub search: extern "C" fn(
        request: &SearchRequest,
        context: *mut u8,
        visit: extern "C" fn(*mut u8, &FoundBlocks),
    ) -> SearchEnd,
    /// Calls `visit` with its context and stack, live bytes and live blocks of each stack of all
    /// threads. False if a harness does not record all blocks.
    pub live_for_each:
        extern "C" fn(context: *mut u8, visit: extern "C" fn(*mut u8, u32, i64, i64)) -> bool,
    /// Calls `visit` with its context and each known holder, whose texts are constant. False if no
    /// harness has a list.
    pub known_holders:
        extern "C" fn(context: *mut u8, visit: extern "C" fn(*mut u8, &Known)) -> bool,
}

// SAFETY: no field of a table is ever written, and its pointers are to constants and functions.
unsafe impl Sync for Table {}

/// This copy's own table.
pub static TABLE: Table = Table {
    magic: MAGIC,
    form: FORM,
    version_len: VERSION.len() as u32,
    version: VERSION.as_ptr(),
    start: functions::start,
    stop: functions::stop,
    is_tracing: functions::is_tracing,
    clear_traces: functions::clear_traces,
    traced_memory: functions::traced_memory,
    reset_peak: functions::reset_peak,
    tracer_memory: functions::tracer_memory,
    traceback_limit: functions::traceback_limit,
    sample_interval: functions::sample_interval,
    track: functions::track,
    untrack: functions::untrack,
    stack_of: functions::stack_of,
    for_each: functions::for_each,
    stack: functions::stack,
    domain: functions::domain,
    pause: functions::pause,
    scope_begin: functions::scope_begin,
    scope_end: functions::scope_end,
    scope_enter: functions::scope_enter,
    scope_of_thread: functions::scope_of_thread,
    scope_count_thread: functions::scope_count_thread,
    scope_hand_down: functions::scope_hand_down,
    scope_threads: functions::scope_threads,
    scope_peak: functions::scope_peak,
    scope_for_each: functions::scope_for_each,
    scope_spending: functions::scope_spending,
    missed: functions::missed,
    request_check: functions::request_check,
    holders: functions::holders,
    search: functions::search,
    live_for_each: functions::live_for_each,
    known_holders: functions::known_holders,
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

impl Table {
    /// The return addresses of a stack, innermost first, and its number of frames before the cut.
    pub fn addresses(&self, stack: u32) -> (Vec<usize>, u32) {
        extern "C" fn push(addresses: *mut u8, address: usize) {
            // SAFETY: it is the vector below, to which nothing else refers during this call.
            unsafe { &mut *addresses.cast::<Vec<usize>>() }.push(address);
        }
        let mut addresses = Vec::new();
        let total = (self.stack)(stack, (&raw mut addresses).cast(), push);
        (addresses, total)
    }
}

/// The functions of [`TABLE`].
mod functions {
    use super::{
        CheckRequest, FoundBlocks, Held, Known, SearchEnd, SearchRequest, StackId, Untracked,
        test_holders, test_limits,
    };
    use crate::bridge::heap_search;
    use crate::heap;
    use crate::heap::Holdings;
    use crate::model::domain::Domain;
    use crate::os::memory;
    use crate::trace::scope_table::Counts;
    use crate::trace::{contexts, control, live, record, scope, scope_table, thread, view};
    use crate::util::sort::sort_by_key;

    pub extern "C" fn start(nframe: u32, interval: u64) {
        control::start(nframe, interval);
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

    pub extern "C" fn sample_interval() -> u64 {
        control::sample_interval()
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
        let why = match heap::holdings(stack_from, Domain::All) {
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

    pub extern "C" fn search(
        request: &SearchRequest,
        context: *mut u8,
        visit: extern "C" fn(*mut u8, &FoundBlocks),
    ) -> SearchEnd {
        heap_search::search(request, context, visit)
    }

    pub extern "C" fn live_for_each(
        context: *mut u8,
        visit: extern "C" fn(*mut u8, u32, i64, i64),
    ) -> bool {
        live::for_each_stack(&mut |change| {
            visit(context, change.stack.0, change.bytes, change.blocks)
        })
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

    pub extern "C" fn domain(stack: u32) -> u32 {
        contexts::domain(StackId(stack))
    }

    pub extern "C" fn pause(on: bool) {
        if on { thread::begin_pause() } else { thread::end_pause() }
    }

    pub extern "C" fn scope_begin(depth: u32, peak: bool, spending: bool) -> u32 {
        scope::begin(depth as usize, Counts { peak, spending })
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

    pub extern "C" fn scope_spending(
        scope: u32,
        context: *mut u8,
        visit: extern "C" fn(*mut u8, u32, i64, i64),
    ) {
        scope::for_each_spending(scope, &mut |stack, spent| {
            visit(context, stack.0, spent.bytes, spent.blocks)
        });
    }

    pub extern "C" fn missed() -> u64 {
        live::missed()
    }

    pub extern "C" fn request_check(request: &CheckRequest) -> bool {
        test_limits::receive(request)
    }

    pub extern "C" fn known_holders(
        context: *mut u8,
        visit: extern "C" fn(*mut u8, &Known),
    ) -> bool {
        test_holders::for_each(context, visit)
    }
}
