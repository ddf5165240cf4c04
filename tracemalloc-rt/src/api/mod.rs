//! The functions of Python's `tracemalloc` module.
//!
//! All of them speak to the runtime that is in the program's global allocator, whichever copy of
//! this crate that is.

#[cfg(feature = "symbolize")]
pub mod holder;
#[cfg(feature = "symbolize")]
pub mod holders;
mod namer;

use crate::api::namer::{Frames, Namer};
use crate::bridge::{Table, installed};
use crate::error::Error;
use crate::model::snapshot::Snapshot;
use crate::model::trace::Trace;
use crate::model::traceback::Traceback;
use crate::trace::stack_id::MAX_NFRAME;

/// Starts to trace allocations, with tracebacks of at most `nframe` frames. Blocks that exist
/// already stay unknown, and freeing them is harmless. While the program is tracing already, this
/// does nothing: the limit stays as it is.
///
/// The innermost frames that belong to the allocator and to the standard library are not counted:
/// the most recent frame is the line of the program that made the standard library allocate. Code
/// that was built with `-C force-frame-pointers=yes` is traced much faster than other code, by a
/// factor of about fifty.
///
/// Python: `tracemalloc.start`, whose `nframe` is 1 where none is given.
///
/// # Errors
///
/// [`Error::NframeOutOfRange`] outside of 1 to 65,535, also while tracing; [`Error::NotInstalled`]
/// where the program's global allocator is no [`Tracemalloc`](crate::Tracemalloc).
///
/// ```
/// # #[global_allocator]
/// # static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();
/// tracemalloc::start(25)?;
/// tracemalloc::start(5)?;
/// assert_eq!(tracemalloc::get_traceback_limit(), 25);
/// # Ok::<(), tracemalloc::Error>(())
/// ```
pub fn start(nframe: u32) -> Result<(), Error> {
    if !(1..=MAX_NFRAME).contains(&nframe) {
        return Err(Error::NframeOutOfRange);
    }
    (installed()?.start)(nframe);
    Ok(())
}

/// Stops to trace, and forgets all traces. The limit stays known. Python: `tracemalloc.stop`.
///
/// ```
/// # #[global_allocator]
/// # static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();
/// tracemalloc::start(25)?;
/// tracemalloc::stop();
/// assert_eq!(tracemalloc::get_traced_memory(), (0, 0));
/// # Ok::<(), tracemalloc::Error>(())
/// ```
pub fn stop() {
    if let Ok(table) = installed() {
        (table.stop)();
    }
}

/// Whether the program is tracing. Python: `tracemalloc.is_tracing`.
///
/// ```
/// # #[global_allocator]
/// # static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();
/// assert!(!tracemalloc::is_tracing());
/// tracemalloc::start(1)?;
/// assert!(tracemalloc::is_tracing());
/// # Ok::<(), tracemalloc::Error>(())
/// ```
pub fn is_tracing() -> bool {
    installed().is_ok_and(|table| (table.is_tracing)())
}

/// Forgets all traces, of all domains, and goes on tracing. Current and peak are 0 again. Costs by
/// the number of blocks. Python: `tracemalloc.clear_traces`.
///
/// ```
/// # #[global_allocator]
/// # static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();
/// tracemalloc::start(1)?;
/// let page = vec![0_u8; 4096];
/// tracemalloc::clear_traces();
/// assert_eq!(tracemalloc::get_traced_memory(), (0, 0));
/// drop(page);
/// assert_eq!(tracemalloc::get_traced_memory(), (0, 0));
/// # Ok::<(), tracemalloc::Error>(())
/// ```
pub fn clear_traces() {
    if let Ok(table) = installed() {
        (table.clear_traces)();
    }
}

/// Bytes that are traced now, and the most that ever were since tracing began or the last
/// [`clear_traces`] or [`reset_peak`]; of all domains together, as they were asked for. `(0, 0)`
/// where the program does not trace. Python: `tracemalloc.get_traced_memory`.
///
/// ```
/// # #[global_allocator]
/// # static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();
/// tracemalloc::start(1)?;
/// drop(vec![0_u8; 4096]);
/// let page = vec![0_u8; 1000];
/// assert_eq!(tracemalloc::get_traced_memory(), (1000, 4096));
/// # drop(page);
/// # Ok::<(), tracemalloc::Error>(())
/// ```
pub fn get_traced_memory() -> (u64, u64) {
    installed().map_or((0, 0), |table| {
        let mut peak = 0;
        let current = (table.traced_memory)(&mut peak);
        (current, peak)
    })
}

/// Lets the peak of [`get_traced_memory`] be what is traced now. Python: `tracemalloc.reset_peak`.
///
/// ```
/// # #[global_allocator]
/// # static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();
/// tracemalloc::start(1)?;
/// drop(vec![0_u8; 4096]);
/// tracemalloc::reset_peak();
/// assert_eq!(tracemalloc::get_traced_memory(), (0, 0));
/// # Ok::<(), tracemalloc::Error>(())
/// ```
pub fn reset_peak() {
    if let Ok(table) = installed() {
        (table.reset_peak)();
    }
}

/// Bytes that the tracer itself uses, in whole pages: all that it has ever taken from the system
/// and touched, whether the program traces now or not. What it takes it keeps, and uses again.
/// Where the system does not tell which pages were touched (elsewhere than on Linux), address space
/// that was only reserved counts too. 0 where the allocator does not trace.
///
/// Python: `tracemalloc.get_tracemalloc_memory`, which leaves out about half of what it uses.
///
/// ```
/// # #[global_allocator]
/// # static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();
/// tracemalloc::start(1)?;
/// let block = Box::new(1);
/// assert!(tracemalloc::get_tracemalloc_memory() > 0);
/// # drop(block);
/// # Ok::<(), tracemalloc::Error>(())
/// ```
pub fn get_tracemalloc_memory() -> u64 {
    installed().map_or(0, |table| (table.tracer_memory)())
}

/// The most frames of a traceback: what [`start`] was given when tracing began; of the last time
/// where the program does not trace, and 1 before the first. Python:
/// `tracemalloc.get_traceback_limit`.
///
/// ```
/// # #[global_allocator]
/// # static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();
/// assert_eq!(tracemalloc::get_traceback_limit(), 1);
/// tracemalloc::start(25)?;
/// tracemalloc::stop();
/// assert_eq!(tracemalloc::get_traceback_limit(), 25);
/// # Ok::<(), tracemalloc::Error>(())
/// ```
pub fn get_traceback_limit() -> u32 {
    installed().map_or(1, |table| (table.traceback_limit)())
}

/// Where the block was allocated that `object` points to, or up to 16 MiB into. `None` where no
/// traced block is there: it is older than tracing, or not on the heap. Like Python's, the
/// traceback does not tell its `total_nframe`.
///
/// A reference to a `Box` or a `Vec` points to that itself, which is mostly on the stack: hand in a
/// reference to what it holds. Nothing is read through the pointer, so any will do. Python:
/// `tracemalloc.get_object_traceback`.
///
/// ```
/// # #[global_allocator]
/// # static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();
/// tracemalloc::start(1)?;
/// let numbers = vec![1, 2, 3];
/// let traceback = tracemalloc::get_object_traceback(&numbers[2]).unwrap();
/// println!("{}", traceback.format(None, false).join("\n"));
/// # assert_eq!(traceback.len(), 1);
/// assert_eq!(tracemalloc::get_object_traceback(&numbers), None);
/// # Ok::<(), tracemalloc::Error>(())
/// ```
pub fn get_object_traceback<T: ?Sized>(object: *const T) -> Option<Traceback> {
    let table = installed().ok()?;
    let _pause = Pause::of(table);
    let stack = (table.stack_of)(object.cast::<u8>().addr());
    if stack == 0 {
        return None;
    }
    let traceback = Namer::new(table, Frames::Program).traceback(stack);
    Some(Traceback::new(traceback.to_vec(), None))
}

/// All blocks that are traced now. Python: `tracemalloc.take_snapshot`.
///
/// What other threads allocate or free meanwhile may be in it or not. What the snapshot itself
/// allocates is not traced. Each stack's frames are looked up in the debug information of the
/// program once a snapshot, which for the first of them takes some hundredths of a second.
///
/// # Errors
///
/// [`Error::SnapshotNeedsTracing`] where the program does not trace.
///
/// ```
/// # #[global_allocator]
/// # static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();
/// use tracemalloc::KeyType;
///
/// tracemalloc::start(1)?;
/// let page = vec![0_u8; 4096];
/// let snapshot = tracemalloc::take_snapshot()?;
/// let statistics = snapshot.statistics(KeyType::Lineno, false).unwrap();
/// assert_eq!((statistics[0].size, statistics[0].count), (4096, 1));
/// # drop(page);
/// # Ok::<(), tracemalloc::Error>(())
/// ```
pub fn take_snapshot() -> Result<Snapshot, Error> {
    snapshot(Frames::Program)
}

/// As [`take_snapshot`], with the frames of the standard library at the inner end: the most recent
/// frame is where the allocator is called. They count for the limit of frames.
///
/// # Errors
///
/// Those of [`take_snapshot`].
///
/// ```
/// # #[global_allocator]
/// # static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();
/// tracemalloc::start(25)?;
/// let page = vec![0_u8; 4096];
/// let snapshot = tracemalloc::take_snapshot_with_std()?;
/// assert!(snapshot.traces()[0].traceback().iter().any(|frame| frame.filename().contains("library/alloc")));
/// # drop(page);
/// # Ok::<(), tracemalloc::Error>(())
/// ```
pub fn take_snapshot_with_std() -> Result<Snapshot, Error> {
    snapshot(Frames::WithStd)
}

fn snapshot(frames: Frames) -> Result<Snapshot, Error> {
    let table = installed()?;
    let _pause = Pause::of(table);
    let mut blocks: Vec<Found> = Vec::new();
    if !(table.for_each)((&raw mut blocks).cast(), add_block) {
        return Err(Error::SnapshotNeedsTracing);
    }
    let mut namer = Namer::new(table, frames);
    namer.prepare(blocks.iter().map(|block| block.stack as u32));
    let traces = blocks
        .into_iter()
        .map(|block| Trace::new(block.domain, block.size, namer.traceback(block.stack as u32)));
    let snapshot = Snapshot::new(traces.collect(), (table.traceback_limit)());
    namer.advise();
    Ok(snapshot)
}

/// A block whose stack has no name yet. Its trace takes its place in memory: fresh pages would cost
/// more than all else.
struct Found {
    domain: u32,
    size: u64,
    stack: usize,
}

const _: () =
    assert!(size_of::<Found>() == size_of::<Trace>() && align_of::<Found>() == align_of::<Trace>());

extern "C" fn add_block(blocks: *mut u8, domain: u32, size: u64, stack: u32) {
    // SAFETY: `snapshot` hands in its vector, and does not touch it meanwhile.
    unsafe { (*blocks.cast::<Vec<Found>>()).push(Found { domain, size, stack: stack as usize }) };
}

/// Adds a block that the global allocator did not hand out: of an arena, a mapped file, a C
/// library, a graphics card. It is in snapshots, statistics and the traced memory until
/// [`untrack`]. `domain` is a number of your choice that tells kinds of memory apart, and
/// [`DomainFilter`](crate::DomainFilter) chooses by; 0 is the allocator's own. `address` only names
/// the block: nothing is ever read there. A block that is known already, of this domain and
/// address, is replaced.
///
/// Python: `PyTraceMalloc_Track`, of its C interface.
///
/// # Errors
///
/// [`Error::NotTracing`] where the program does not trace; the block is then in no snapshot. Under
/// `cargo tracemalloc test` it is the test's until [`untrack`] all the same, whatever the program
/// traces.
///
/// ```
/// # #[global_allocator]
/// # static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();
/// use tracemalloc::DomainFilter;
///
/// tracemalloc::start(1)?;
/// tracemalloc::track(7, 0xD000_0000, 1 << 20)?;
/// let textures = tracemalloc::take_snapshot()?.filter_traces(&[&DomainFilter::new(true, 7)]);
/// assert_eq!(textures.traces()[0].size(), 1 << 20);
/// tracemalloc::untrack(7, 0xD000_0000)?;
/// # Ok::<(), tracemalloc::Error>(())
/// ```
pub fn track(domain: u32, address: usize, size: usize) -> Result<(), Error> {
    result((installed()?.track)(domain, address, size))
}

/// Takes a block out that [`track`] has added. One that is not known is no error.
///
/// Python: `PyTraceMalloc_Untrack`, of its C interface.
///
/// # Errors
///
/// [`Error::NotTracing`] where the program does not trace.
///
/// ```
/// # #[global_allocator]
/// # static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();
/// tracemalloc::start(1)?;
/// tracemalloc::track(7, 0xD000_0000, 1 << 20)?;
/// tracemalloc::untrack(7, 0xD000_0000)?;
/// tracemalloc::untrack(7, 0xD000_0000)?;
/// assert_eq!(tracemalloc::get_traced_memory().0, 0);
/// # Ok::<(), tracemalloc::Error>(())
/// ```
pub fn untrack(domain: u32, address: usize) -> Result<(), Error> {
    result((installed()?.untrack)(domain, address))
}

fn result(code: i32) -> Result<(), Error> {
    match code {
        0 => Ok(()),
        -1 => Err(Error::NoMemory),
        _ => Err(Error::NotTracing),
    }
}

/// What this thread allocates is not traced, whichever copy of the runtime traces.
pub(crate) struct Pause(&'static Table);

impl Pause {
    pub(crate) fn of(table: &'static Table) -> Self {
        (table.pause)(true);
        Self(table)
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        (self.0.pause)(false);
    }
}
