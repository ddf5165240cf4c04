//! The functions of Python's `tracemalloc` module, and the holders of live memory.
//!
//! This room may call `bridge`, `names` and `model`. Nothing below it calls it; the hot path never
//! does. All functions go through the bridge, to the copy of the runtime that is in the program's
//! global allocator.

#[cfg(feature = "symbolize")]
pub mod holder;
#[cfg(feature = "symbolize")]
pub mod holders;
mod namer;

use crate::api::namer::{Frames, Namer, Rename};
use crate::bridge::{Table, installed};
use crate::c_malloc;
use crate::error::Error;
use crate::model::snapshot::Snapshot;
use crate::model::trace::Trace;
use crate::model::traceback::Traceback;
use crate::trace::sampling::MAX_INTERVAL;
use crate::trace::stack_id::MAX_NFRAME;

/// Starts to trace allocations, with tracebacks of at most `nframe` frames. Blocks that exist
/// already stay unknown, and freeing them is harmless. If the program traces already, nothing
/// happens: the limit stays as it is.
///
/// The limit is for frames of the program: those of the allocator and of the standard library are
/// not counted. Code that was built with `-C force-frame-pointers=yes` is traced much faster than
/// other code: some ten times on x86-64 Linux with glibc from 2.35 on, and fifty times elsewhere.
///
/// Python: `tracemalloc.start`, whose `nframe` has the default 1.
///
/// # Errors
///
/// - [`Error::NframeOutOfRange`] if `nframe` is 0 or above 65,535, even while the program traces,
/// - [`Error::NotInstalled`] if the program's global allocator is not a
///   [`Tracemalloc`](crate::Tracemalloc),
/// - [`Error::OtherVersion`] if it is one of a version that this one cannot talk to.
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
    check_nframe(nframe)?;
    begin(nframe, 0)
}

/// As [`start`], but traces only some of the blocks, so that a service can trace all the time. Of
/// the allocated bytes, one in `interval` is sampled at random, and a block is traced if it has a
/// sampled byte. All other blocks cost next to nothing.
///
/// [`get_traced_memory`] and [`Snapshot::statistics`] then estimate all blocks from the sampled
/// ones. The estimates are right on average, and each [`Statistic`](crate::Statistic) has its
/// standard error. It is at most the square root of `interval` times the size: with an interval of
/// 512 KiB, a line that has 100 MiB is estimated within 7 MiB in two of three cases. A
/// [`Trace`] still has the size of its block.
///
/// Blocks that [`track`] adds are all traced, except in domain 0. [`holders`](crate::holders) knows
/// the sampled blocks only. In the environment, `TRACEMALLOC=16,512KiB` does the same before
/// `main`. Not in Python.
///
/// # Errors
///
/// Those of [`start`]; [`Error::NoInterval`] if the interval is 0 or above 2^53.
///
/// ```
/// # #[global_allocator]
/// # static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();
/// use tracemalloc::KeyType;
///
/// tracemalloc::start_sampled(16, 64 << 10)?;
/// let pages: Vec<Vec<u8>> = (0..10_000).map(|_| vec![0; 4096]).collect();
/// let snapshot = tracemalloc::take_snapshot()?;
/// assert_eq!(snapshot.sample_interval(), Some(64 << 10));
/// let statistics = snapshot.statistics(KeyType::Lineno, false).unwrap();
/// let estimate = statistics[0].size as f64;
/// assert!((estimate / 40_960_000.0 - 1.0).abs() < 0.3);
/// # drop(pages);
/// # Ok::<(), tracemalloc::Error>(())
/// ```
pub fn start_sampled(nframe: u32, interval: u64) -> Result<(), Error> {
    check_nframe(nframe)?;
    if !(1..=MAX_INTERVAL).contains(&interval) {
        return Err(Error::NoInterval);
    }
    begin(nframe, interval)
}

fn check_nframe(nframe: u32) -> Result<(), Error> {
    (1..=MAX_NFRAME).contains(&nframe).then_some(()).ok_or(Error::NframeOutOfRange)
}

/// Begins the program's view. With the interval 0, it has all blocks.
fn begin(nframe: u32, interval: u64) -> Result<(), Error> {
    let table = installed()?;
    c_malloc::arm_for_program();
    (table.start)(nframe, interval);
    Ok(())
}

/// Stops tracing, and forgets all traces. [`get_traceback_limit`] still returns the limit.
///
/// Python: `tracemalloc.stop`.
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

/// Whether the program is tracing.
///
/// Python: `tracemalloc.is_tracing`.
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

/// Forgets all traces, of all domains, and goes on tracing. The traced memory and its peak are 0
/// again. The cost grows with the number of traced blocks.
///
/// Python: `tracemalloc.clear_traces`.
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

/// The traced memory and its peak, in bytes, as the program requested them, of all domains
/// together. The peak is the most since tracing began, or since the last [`clear_traces`] or
/// [`reset_peak`]. `(0, 0)` if the program does not trace.
///
/// The peak is exact while one thread allocates and frees. If several do, it is never too low. For
/// each of these threads, it is too high by at most 16 KiB or a 1024th of the peak, whichever is
/// more.
///
/// Python: `tracemalloc.get_traced_memory`.
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

/// Sets the peak of [`get_traced_memory`] to the memory that is traced now.
///
/// Python: `tracemalloc.reset_peak`.
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

/// The memory of the tracer itself, in bytes and whole pages. It includes all pages that it has
/// ever taken from the system and touched, whether the program traces now or not. The tracer gives
/// no memory back, and uses it again. Only Linux tells which pages were touched. On other systems,
/// address space that is only reserved counts too. 0 if the program's allocator does not trace.
///
/// Python: `tracemalloc.get_tracemalloc_memory`, which leaves out about half of its memory.
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

/// The most frames of a traceback: the `nframe` of the [`start`] that began to trace. If the
/// program does not trace, that of the last time; 1 before the first.
///
/// Python: `tracemalloc.get_traceback_limit`.
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

/// The traceback of the block that `object` points to, or up to 16 MiB into. `None` if no traced
/// block is there: it is older than tracing, or not on the heap. As in Python, the traceback has no
/// `total_nframe`.
///
/// A reference to a `Box` or a `Vec` itself mostly points to the stack. Pass a reference to its
/// content. The function does not read through the pointer, so any pointer is allowed.
///
/// Python: `tracemalloc.get_object_traceback`.
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

/// A snapshot of all blocks that are traced now. Tracebacks have the frames of the program and of
/// its dependencies, oldest first.
///
/// Other threads go on: a block that they allocate or free meanwhile may be in the snapshot or not.
/// The snapshot's own memory is not traced. Names, files and lines come from the debug information
/// of the program; the first snapshot reads it, which takes some hundredths of a second. If the
/// program has none, the first snapshot prints on stderr which setting of its Cargo profile is
/// missing.
///
/// Python: `tracemalloc.take_snapshot`.
///
/// # Errors
///
/// - [`Error::SnapshotNeedsTracing`] if the program does not trace,
/// - [`Error::NotInstalled`] and [`Error::OtherVersion`] as for [`start`].
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
    snapshot(Frames::Program, None)
}

/// [`take_snapshot`] with the frames of the standard library. The most recent frame is that which
/// calls the allocator. All frames count for the limit of [`start`]. Not in Python.
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
    snapshot(Frames::WithStd, None)
}

/// [`take_snapshot`] with other names for files, which `rename` makes of those as compiled.
pub fn take_snapshot_with_names(rename: &dyn Fn(&str) -> String) -> Result<Snapshot, Error> {
    snapshot(Frames::Program, Some(rename))
}

/// A profile of all blocks that are traced now, for pprof and the tools that read its format: the
/// [`pprof`](Snapshot::pprof) of a snapshot. A service can serve it, as Go's services do:
/// `examples/pprof_server.rs`. With [`start_sampled`], the service can trace all the time.
///
/// Needs the feature `pprof`. Not in Python.
///
/// # Errors
///
/// Those of [`take_snapshot`].
///
/// ```
/// # #[global_allocator]
/// # static ALLOCATOR: tracemalloc::Tracemalloc = tracemalloc::Tracemalloc::system();
/// tracemalloc::start_sampled(16, 512 << 10)?;
/// let profile: Vec<u8> = tracemalloc::pprof()?;
/// # assert!(!profile.is_empty());
/// # Ok::<(), tracemalloc::Error>(())
/// ```
#[cfg(feature = "pprof")]
pub fn pprof() -> Result<Vec<u8>, Error> {
    let _pause = Pause::of(installed()?);
    Ok(take_snapshot()?.pprof())
}

fn snapshot(frames: Frames, rename: Option<Rename<'_>>) -> Result<Snapshot, Error> {
    let table = installed()?;
    let _pause = Pause::of(table);
    let mut blocks: Vec<Found> = Vec::new();
    if !(table.for_each)((&raw mut blocks).cast(), add_block) {
        return Err(Error::SnapshotNeedsTracing);
    }
    let mut namer = Namer::new(table, frames).with_names(rename);
    namer.prepare(blocks.iter().map(|block| block.stack as u32));
    let traces = blocks
        .into_iter()
        .map(|block| Trace::new(block.domain, block.size, namer.traceback(block.stack as u32)));
    let snapshot = Snapshot::new(traces.collect(), (table.traceback_limit)())
        .with_sample_interval((table.sample_interval)());
    namer.advise();
    Ok(snapshot)
}

/// A block whose stack is not named yet. Its trace takes its place in memory: fresh pages would
/// cost more than all other steps.
struct Found {
    domain: u32,
    size: u64,
    stack: usize,
}

const _: () =
    assert!(size_of::<Found>() == size_of::<Trace>() && align_of::<Found>() == align_of::<Trace>());

extern "C" fn add_block(blocks: *mut u8, domain: u32, size: u64, stack: u32) {
    // SAFETY: `snapshot` passes its vector, and does not touch it during the call.
    unsafe { (*blocks.cast::<Vec<Found>>()).push(Found { domain, size, stack: stack as usize }) };
}

/// Adds a block that the global allocator did not hand out: of an arena, a mapped file, a C
/// library, a graphics card. It is in snapshots, statistics and the traced memory until
/// [`untrack`].
///
/// `domain` is a number of your choice for a kind of memory, for
/// [`DomainFilter`](crate::DomainFilter). 0 is the domain of the global allocator. `address` only
/// names the block: nothing is ever read there. `size` is in bytes. A known block of the same
/// domain and address is replaced.
///
/// Python: `PyTraceMalloc_Track`, of its C interface.
///
/// # Errors
///
/// - [`Error::NotTracing`] if the program does not trace. The block is then in no snapshot. Under
///   `cargo tracemalloc test` it counts as the test's until [`untrack`] all the same,
/// - [`Error::NoMemory`] if the tracer finds no memory,
/// - [`Error::NotInstalled`] and [`Error::OtherVersion`] as for [`start`].
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

/// Removes a block that [`track`] has added. An unknown block is no error.
///
/// Python: `PyTraceMalloc_Untrack`, of its C interface.
///
/// # Errors
///
/// [`Error::NotTracing`] if the program does not trace; [`Error::NotInstalled`] and
/// [`Error::OtherVersion`] as for [`start`].
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

/// While it lives, this thread's allocations are not traced, by whichever copy of the runtime.
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
