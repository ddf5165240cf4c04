//! Python's functions on a program that really allocates.
//!
//! The tests run one at a time, on the main thread. No other code allocates in this process
//! meanwhile, so every number is exact. Tests of a program's first allocations start this program
//! again.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use tracemalloc::internal::{self, Live, Walk};
use tracemalloc::{DomainFilter, Error, KeyType, Snapshot, Traceback, Tracemalloc};

#[global_allocator]
static ALLOCATOR: Tracemalloc<Refusing> = Tracemalloc::new(Refusing);

/// The system's allocator, which refuses to make blocks larger on request.
struct Refusing;

static REFUSES: AtomicBool = AtomicBool::new(false);

// SAFETY: hands on to the system's allocator, or returns null, which means that there is no memory.
unsafe impl GlobalAlloc for Refusing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if REFUSES.load(Ordering::Relaxed) {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's promise is handed on.
        unsafe { System.realloc(block, layout, new_size) }
    }
}

fn main() -> ExitCode {
    if let Some(role) = std::env::var_os("LIVE_TEST_ROLE") {
        return child(role.to_str().expect("roles are ASCII"));
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let trials = TESTS.iter().map(|(name, test)| {
        Trial::test(*name, move || {
            tracemalloc::stop();
            let result = std::panic::catch_unwind(test);
            tracemalloc::stop();
            internal::stop();
            result.map_err(|_| Failed::without_message())
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

macro_rules! tests {
    ($($name:ident),* $(,)?) => {
        const TESTS: &[(&str, fn())] = &[$((stringify!($name), $name)),*];
    };
}

tests![
    a_program_that_does_not_trace_has_nothing,
    starting_again_changes_nothing,
    limits_are_from_1_to_65535,
    the_limit_cuts_tracebacks_and_their_length_is_kept,
    recursion_is_traced_to_any_depth,
    a_snapshot_has_each_block_with_its_line,
    blocks_of_one_line_share_a_traceback,
    frames_of_the_standard_library_are_there_on_request,
    inlined_calls_are_frames,
    traced_memory_is_exact,
    a_reallocated_block_belongs_to_who_reallocated_it,
    a_block_that_could_not_be_reallocated_stays,
    blocks_of_no_size_count,
    clearing_forgets_and_goes_on,
    stopping_forgets,
    the_peak_can_be_reset,
    memory_and_peak_are_those_of_a_model,
    sampled_blocks_stand_for_all,
    a_view_that_is_sampled_begins_and_ends_like_any_other,
    the_harness_sees_what_is_not_sampled,
    the_tracer_tells_what_it_uses,
    a_pointer_into_a_block_is_enough,
    a_forked_child_knows_what_its_parent_knew,
    a_child_that_is_forked_during_a_snapshot_takes_its_own,
    blocks_of_other_domains_are_traced,
    a_block_that_is_tracked_again_is_replaced,
    untracking_twice_is_harmless,
    nothing_is_tracked_after_stopping,
    any_thread_may_track,
    domain_0_is_the_allocator_s,
    registries_live_as_in_cpython,
    the_harness_does_not_see_what_the_program_clears,
    the_program_does_not_see_what_the_harness_traces,
    threads_lose_and_invent_nothing,
    code_without_frame_pointers_has_whole_tracebacks,
    the_environment_starts_tracing_before_main,
    the_environment_may_say_no,
    the_environment_is_read_as_by_cpython,
];

/// This file, as frames name it.
fn is_here(filename: &str) -> bool {
    filename.ends_with("tests/live.rs")
}

fn lines(traceback: &Traceback) -> Vec<u32> {
    traceback.iter().map(tracemalloc::Frame::lineno).collect()
}

fn here(snapshot: &Snapshot) -> Vec<(u64, u32)> {
    let mut found: Vec<(u64, u32)> = snapshot
        .traces()
        .iter()
        .filter(|trace| is_here(trace.traceback().last().unwrap().filename()))
        .map(|trace| (trace.size(), trace.traceback().last().unwrap().lineno()))
        .collect();
    found.sort_unstable();
    found
}

#[inline(never)]
fn page() -> (Vec<u8>, u32) {
    (black_box(vec![7_u8; 4096]), line!())
}

fn a_program_that_does_not_trace_has_nothing() {
    assert!(!tracemalloc::is_tracing());
    let (block, _) = page();
    assert_eq!(tracemalloc::get_traced_memory(), (0, 0));
    assert_eq!(tracemalloc::get_object_traceback(block.as_ptr()), None);
    assert_eq!(
        tracemalloc::take_snapshot().unwrap_err().to_string(),
        "the tracemalloc module must be tracing memory allocations to take a snapshot"
    );
    tracemalloc::clear_traces();
    tracemalloc::reset_peak();
    tracemalloc::stop();
    tracemalloc::start(1).unwrap();
    drop(block);
    assert_eq!(tracemalloc::get_traced_memory(), (0, 0));
}

fn starting_again_changes_nothing() {
    tracemalloc::start(10).unwrap();
    assert!(tracemalloc::is_tracing());
    assert_eq!(tracemalloc::get_traceback_limit(), 10);
    let (block, _) = page();
    tracemalloc::start(3).unwrap();
    assert_eq!(tracemalloc::get_traceback_limit(), 10);
    assert_eq!(tracemalloc::get_traced_memory(), (4096, 4096));
    assert_eq!(tracemalloc::start(0), Err(Error::NframeOutOfRange), "the range is looked at first");
    tracemalloc::stop();
    assert!(!tracemalloc::is_tracing());
    assert_eq!(tracemalloc::get_traceback_limit(), 10, "the limit is remembered");
    drop(block);
}

fn limits_are_from_1_to_65535() {
    for nframe in [0, 65_536, u32::MAX] {
        let error = tracemalloc::start(nframe).unwrap_err();
        assert_eq!(error.to_string(), "the number of frames must be in range [1; 65535]");
        assert!(!tracemalloc::is_tracing());
    }
    for nframe in [1, 65_535] {
        tracemalloc::start(nframe).unwrap();
        assert_eq!(tracemalloc::take_snapshot().unwrap().traceback_limit(), nframe);
        tracemalloc::stop();
    }
}

fn the_limit_cuts_tracebacks_and_their_length_is_kept() {
    #[inline(never)]
    fn outer() -> ((Vec<u8>, u32), u32) {
        (black_box(page()), line!())
    }
    let whole = {
        tracemalloc::start(100).unwrap();
        let ((block, inner_line), outer_line) = outer();
        let traceback = tracemalloc::get_object_traceback(block.as_ptr()).unwrap();
        assert_eq!(traceback.total_nframe(), None, "as in Python");
        assert!(is_here(traceback.last().unwrap().filename()));
        assert_eq!(lines(&traceback)[traceback.len() - 2..], [outer_line, inner_line]);
        tracemalloc::stop();
        traceback
    };
    for nframe in [1, 2, 3] {
        tracemalloc::start(nframe).unwrap();
        let ((block, _), _) = outer();
        let snapshot = tracemalloc::take_snapshot().unwrap();
        let trace = snapshot.traces().iter().find(|trace| trace.size() == 4096).unwrap();
        let expected = &whole[whole.len() - nframe as usize..];
        // The line in this function differs.
        assert_eq!(trace.traceback()[nframe as usize - 1..], expected[nframe as usize - 1..]);
        assert_eq!(trace.traceback().len(), nframe as usize);
        assert_eq!(trace.traceback().total_nframe(), Some(whole.len() as u32));
        drop(block);
        tracemalloc::stop();
    }
}

fn recursion_is_traced_to_any_depth() {
    #[inline(never)]
    fn descend(depth: usize) -> Vec<u8> {
        let block = if depth == 0 { vec![1_u8; 777] } else { descend(depth - 1) };
        black_box(block)
    }
    let line = line!() - 3;
    let depth = 40_000;
    let traceback = std::thread::Builder::new().stack_size(1 << 30).spawn(move || {
        tracemalloc::start(65_535).unwrap();
        let block = descend(depth);
        let snapshot = tracemalloc::take_snapshot().unwrap();
        tracemalloc::stop();
        drop(block);
        let trace = snapshot.traces().iter().find(|trace| trace.size() == 777).unwrap();
        trace.traceback().clone()
    });
    let traceback = traceback.unwrap().join().unwrap();
    assert_eq!(traceback.iter().filter(|frame| frame.lineno() == line).count(), depth + 1);
    assert_eq!(traceback.total_nframe(), Some(traceback.len() as u32));

    tracemalloc::start(1).unwrap();
    let block = descend(1_000);
    let snapshot = tracemalloc::take_snapshot().unwrap();
    let trace = snapshot.traces().iter().find(|trace| trace.size() == 777).unwrap();
    assert_eq!(lines(trace.traceback()), [line]);
    let total = trace.traceback().total_nframe().unwrap();
    assert!((1_001..1_100).contains(&total), "{total}");
    drop(block);
}

fn a_snapshot_has_each_block_with_its_line() {
    tracemalloc::start(1).unwrap();
    let (first, line) = page();
    let (second, _) = page();
    let string = black_box(String::from("a text"));
    let string_line = line!() - 1;
    let snapshot = tracemalloc::take_snapshot().unwrap();
    assert_eq!(here(&snapshot), [(6, string_line), (4096, line), (4096, line)]);
    let statistics = snapshot.statistics(KeyType::Lineno, false).unwrap();
    let text = statistics[0].to_string();
    assert!(
        text.ends_with(&format!("tests/live.rs:{line}: size=8192 B, count=2, average=4096 B")),
        "{text}"
    );
    let function = statistics[0].traceback[0].function().unwrap();
    assert_eq!(function, "live::page");
    drop((first, second, string));
    assert_eq!(
        here(&tracemalloc::take_snapshot().unwrap()).iter().filter(|(_, at)| *at == line).count(),
        0
    );
}

fn blocks_of_one_line_share_a_traceback() {
    tracemalloc::start(5).unwrap();
    let blocks: Vec<Vec<u8>> = (0..3).map(|_| page().0).collect();
    let snapshot = tracemalloc::take_snapshot().unwrap();
    let tracebacks: Vec<&Traceback> = snapshot
        .traces()
        .iter()
        .filter(|trace| trace.size() == 4096)
        .map(tracemalloc::Trace::traceback)
        .collect();
    assert_eq!(tracebacks.len(), 3);
    assert!(tracebacks.iter().all(|one| std::ptr::eq(one.as_ptr(), tracebacks[0].as_ptr())));
    drop(blocks);
}

fn frames_of_the_standard_library_are_there_on_request() {
    tracemalloc::start(50).unwrap();
    let (block, line) = page();
    let last = |snapshot: Snapshot| {
        let trace = snapshot.traces().iter().find(|trace| trace.size() == 4096).unwrap();
        trace.traceback().clone()
    };
    let program = last(tracemalloc::take_snapshot().unwrap());
    assert_eq!(program.last().unwrap().lineno(), line);
    let with_std = last(tracemalloc::take_snapshot_with_std().unwrap());
    assert!(with_std.len() > program.len());
    assert!(with_std.total_nframe() > program.total_nframe());
    let functions: Vec<_> = with_std.iter().filter_map(tracemalloc::Frame::function).collect();
    // Which one is the last, depends on which crate's copy of it the linker has taken.
    assert!(functions.iter().any(|function| function.contains("RawVec")), "{functions:?}");
    assert!(
        !functions.iter().any(|function| function.starts_with("tracemalloc::")),
        "{functions:?}"
    );
    assert_eq!(
        with_std.iter().filter(|frame| frame.lineno() == line && is_here(frame.filename())).count(),
        1
    );
    drop(block);
}

fn inlined_calls_are_frames() {
    #[inline(always)]
    fn innermost() -> (Vec<u8>, u32) {
        (black_box(vec![1_u8; 333]), line!())
    }
    #[inline(always)]
    fn inner() -> ((Vec<u8>, u32), u32) {
        (innermost(), line!())
    }
    tracemalloc::start(2).unwrap();
    let ((block, innermost_line), inner_line) = inner();
    let traceback = tracemalloc::get_object_traceback(block.as_ptr()).unwrap();
    assert_eq!(lines(&traceback), [inner_line, innermost_line]);
}

fn traced_memory_is_exact() {
    tracemalloc::start(1).unwrap();
    assert_eq!(tracemalloc::get_traced_memory(), (0, 0));
    let block = black_box(Box::new([0_u8; 1000]));
    assert_eq!(tracemalloc::get_traced_memory(), (1000, 1000));
    let other = black_box(Box::new(1_u8));
    assert_eq!(tracemalloc::get_traced_memory(), (1001, 1001));
    drop(block);
    assert_eq!(tracemalloc::get_traced_memory(), (1, 1001));
    drop(other);
    assert_eq!(tracemalloc::get_traced_memory(), (0, 1001));
    tracemalloc::stop();
    assert_eq!(tracemalloc::get_traced_memory(), (0, 0));
}

fn a_reallocated_block_belongs_to_who_reallocated_it() {
    tracemalloc::start(1).unwrap();
    let mut block: Vec<u8> = black_box(Vec::with_capacity(100));
    let first = tracemalloc::get_object_traceback(block.as_ptr()).unwrap();
    block.reserve_exact(5_000);
    let line = line!() - 1;
    let second = tracemalloc::get_object_traceback(block.as_ptr()).unwrap();
    assert_eq!(
        tracemalloc::get_traced_memory(),
        (5_000, 5_000),
        "the old size and the new one never count together"
    );
    assert!(first != second && lines(&second) == [line]);
    tracemalloc::reset_peak();
    let old = block.as_ptr();
    block.shrink_to_fit();
    assert_eq!(tracemalloc::get_traced_memory(), (0, 5_000), "an empty vector has no block");
    assert_eq!(tracemalloc::get_object_traceback(old), None);
}

fn a_block_that_could_not_be_reallocated_stays() {
    tracemalloc::start(1).unwrap();
    let mut block: Vec<u8> = black_box(vec![1; 100]);
    let before = tracemalloc::get_object_traceback(block.as_ptr()).unwrap();
    REFUSES.store(true, Ordering::Relaxed);
    let refused = block.try_reserve_exact(1_000);
    REFUSES.store(false, Ordering::Relaxed);
    assert!(refused.is_err());
    assert_eq!(tracemalloc::get_object_traceback(block.as_ptr()), Some(before));
    assert_eq!(tracemalloc::get_traced_memory(), (100, 100));
}

fn blocks_of_no_size_count() {
    tracemalloc::start(1).unwrap();
    tracemalloc::track(5, 0x1000, 0).unwrap();
    let snapshot = tracemalloc::take_snapshot().unwrap();
    assert_eq!(snapshot.traces().iter().map(tracemalloc::Trace::size).collect::<Vec<_>>(), [0]);
    let statistics = snapshot.statistics(KeyType::Lineno, false).unwrap();
    assert_eq!((statistics[0].size, statistics[0].count), (0, 1));
}

fn clearing_forgets_and_goes_on() {
    tracemalloc::start(1).unwrap();
    let (old, _) = page();
    tracemalloc::track(3, 0x10, 50).unwrap();
    tracemalloc::clear_traces();
    assert!(tracemalloc::is_tracing());
    assert_eq!(tracemalloc::get_traced_memory(), (0, 0));
    assert_eq!(tracemalloc::get_object_traceback(old.as_ptr()), None);
    assert_eq!(tracemalloc::take_snapshot().unwrap().traces(), []);
    let (new, line) = page();
    drop(old);
    assert_eq!(tracemalloc::get_traced_memory(), (4096, 4096));
    assert_eq!(here(&tracemalloc::take_snapshot().unwrap()), [(4096, line)]);
    drop(new);
}

fn stopping_forgets() {
    tracemalloc::start(1).unwrap();
    let (block, _) = page();
    tracemalloc::stop();
    tracemalloc::start(1).unwrap();
    assert_eq!(tracemalloc::get_traced_memory(), (0, 0));
    assert_eq!(tracemalloc::get_object_traceback(block.as_ptr()), None);
    drop(block);
    assert_eq!(tracemalloc::get_traced_memory(), (0, 0));
}

fn the_peak_can_be_reset() {
    tracemalloc::start(1).unwrap();
    drop(black_box(vec![0_u8; 1 << 20]));
    let (block, _) = page();
    assert_eq!(tracemalloc::get_traced_memory(), (4096, 1 << 20));
    tracemalloc::reset_peak();
    assert_eq!(tracemalloc::get_traced_memory(), (4096, 4096));
    let snapshot = tracemalloc::take_snapshot().unwrap();
    assert_eq!(snapshot.traces().len(), 1, "traces are left alone");
    drop(block);
    assert_eq!(tracemalloc::get_traced_memory(), (0, 4096));
}

/// Blocks come, change their size and go at random, and the view begins anew now and then.
fn memory_and_peak_are_those_of_a_model() {
    let mut state = 1_u64;
    let mut below = |end: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (state >> 33) as usize % end
    };
    for nframe in [1, 16, 300] {
        // Its own memory is older than tracing, and never grows. Unknown blocks have no size here.
        let mut blocks: Vec<(Vec<u8>, u64)> = Vec::with_capacity(1000);
        let (mut bytes, mut peak) = (0, 0);
        tracemalloc::start(nframe).unwrap();
        for _ in 0..if cfg!(debug_assertions) { 5_000 } else { 50_000 } {
            let index = below(blocks.len().max(1));
            let bits = below(16);
            let size = below(1 << bits) as u64 + 1;
            match below(20) {
                0..10 if blocks.len() < 1000 => {
                    blocks.push((black_box(Vec::with_capacity(size as usize)), size));
                    bytes += size;
                }
                0..5 if index < blocks.len() => {
                    // A block that was unknown is known then.
                    let (block, known) = &mut blocks[index];
                    let old = block.capacity() as u64;
                    block.reserve_exact((old + size) as usize);
                    bytes = bytes - *known + old + size;
                    *known = old + size;
                }
                0..18 if index < blocks.len() => bytes -= blocks.swap_remove(index).1,
                18 if below(100) == 0 => {
                    tracemalloc::reset_peak();
                    peak = 0;
                }
                19 if below(100) == 0 => {
                    if below(2) == 0 {
                        tracemalloc::clear_traces();
                    } else {
                        tracemalloc::stop();
                        tracemalloc::start(nframe).unwrap();
                    }
                    blocks.iter_mut().for_each(|(_, known)| *known = 0);
                    (bytes, peak) = (0, 0);
                }
                _ => {}
            }
            peak = peak.max(bytes);
            assert_eq!(tracemalloc::get_traced_memory(), (bytes, peak));
        }
        tracemalloc::stop();
    }
}

/// The largest error that is let pass: five times the standard error.
fn is_near(estimate: u64, real: u64, error: u64) -> bool {
    estimate.abs_diff(real) <= 5 * error + 1
}

fn sampled_blocks_stand_for_all() {
    let interval = 16 << 10;
    tracemalloc::start_sampled(4, interval).unwrap();
    let mut kept: Vec<Vec<u8>> = Vec::with_capacity(60_000);
    tracemalloc::clear_traces();
    let mut bytes = 0;
    for number in 0..60_000 {
        // Small ones, and some that are larger than the interval.
        let size = if number % 1000 == 0 { 100_000 } else { number % 300 + 1 };
        kept.push(black_box(Vec::with_capacity(size)));
        drop(black_box(Box::new([0_u8; 64])));
        bytes += size as u64;
    }
    let line = line!() - 4;
    let snapshot = tracemalloc::take_snapshot().unwrap();
    assert_eq!(snapshot.sample_interval(), Some(interval));
    assert!(snapshot.traces().len() < 6_000, "{}", snapshot.traces().len());
    let statistics = snapshot.statistics(KeyType::Lineno, false).unwrap();
    let of_line = statistics.iter().find(|all| all.traceback[0].lineno() == line).unwrap();
    let error = of_line.size_error;
    assert!(is_near(of_line.size, bytes, error), "{of_line}, not {bytes}");
    assert!(error > 0 && error < bytes / 10, "{of_line}");
    let (estimate, peak) = tracemalloc::get_traced_memory();
    assert!(is_near(estimate, bytes, error), "{estimate}, not {bytes}");
    assert!(peak >= estimate && peak < 2 * bytes, "{peak}");
    let large = snapshot.traces().iter().filter(|trace| trace.size() == 100_000).count();
    assert!(large >= 55, "{large}: nearly all are sampled");

    let path = std::env::temp_dir().join(format!("sampled-{}.json", std::process::id()));
    snapshot.dump(&path).unwrap();
    let loaded = Snapshot::load(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert_eq!(loaded.sample_interval(), Some(interval));
    assert_eq!(loaded.statistics(KeyType::Lineno, false).unwrap(), statistics);

    drop((kept, snapshot, statistics, loaded, path));
    assert_eq!(tracemalloc::get_traced_memory().0, 0);
    assert_eq!(tracemalloc::take_snapshot().unwrap().traces().len(), 0);
}

fn a_view_that_is_sampled_begins_and_ends_like_any_other() {
    assert_eq!(tracemalloc::start_sampled(1, 0), Err(Error::NoInterval));
    assert_eq!(tracemalloc::start_sampled(0, 1), Err(Error::NframeOutOfRange));
    // Each block is much larger than the interval.
    tracemalloc::start_sampled(1, 64).unwrap();
    let (block, _) = page();
    assert_eq!(tracemalloc::get_traced_memory(), (4096, 4096));
    tracemalloc::start(3).unwrap();
    assert_eq!(tracemalloc::get_traceback_limit(), 1, "it goes on");
    tracemalloc::track(7, 0x1000, 3).unwrap();
    assert_eq!(tracemalloc::get_traced_memory().0, 4099, "what a program tracks is not sampled");
    let tracked = in_domain(7);
    assert_eq!(tracked.sample_interval(), Some(64));
    let statistics = tracked.statistics(KeyType::Lineno, false).unwrap();
    assert_eq!((statistics[0].size, statistics[0].count, statistics[0].size_error), (3, 1, 0));
    tracemalloc::untrack(7, 0x1000).unwrap();
    tracemalloc::clear_traces();
    assert_eq!(tracemalloc::get_traced_memory(), (0, 0));
    let (other, _) = page();
    drop(block);
    assert_eq!(tracemalloc::get_traced_memory(), (4096, 4096));
    tracemalloc::stop();
    assert_eq!(tracemalloc::get_traced_memory(), (0, 0));
    drop(other);
    tracemalloc::start(1).unwrap();
    let small = black_box(Box::new(1_u8));
    assert_eq!(tracemalloc::get_traced_memory(), (1, 1));
    assert_eq!(tracemalloc::take_snapshot().unwrap().sample_interval(), None);
    drop(small);
}

fn the_harness_sees_what_is_not_sampled() {
    internal::start(Walk::Unwind, 64);
    tracemalloc::start_sampled(1, 1 << 30).unwrap();
    let before = Live::now();
    let block = black_box(Box::new([1_u8; 100]));
    let grown: i64 = Live::now().changes_since(&before).iter().map(|change| change.bytes).sum();
    assert_eq!(grown, 100);
    drop(block);
    assert_eq!(Live::now().changes_since(&before), []);
}

fn the_tracer_tells_what_it_uses() {
    tracemalloc::start(1).unwrap();
    let before = tracemalloc::get_tracemalloc_memory();
    let blocks: Vec<Box<[u64; 4]>> = (0..100_000).map(|n| Box::new([n; 4])).collect();
    let after = tracemalloc::get_tracemalloc_memory();
    assert!(after > before, "{before} {after}");
    // A block has its share of the map: half of the memory that it lies in.
    if cfg!(target_os = "linux") {
        assert!((after - before) / 100_000 < 40, "{} bytes a block", (after - before) / 100_000);
    }
    drop(blocks);
}

fn a_pointer_into_a_block_is_enough() {
    tracemalloc::start(1).unwrap();
    let block = black_box(vec![1_u8; 3 << 20]);
    let expected = tracemalloc::get_object_traceback(block.as_ptr());
    assert!(expected.is_some());
    assert_eq!(tracemalloc::get_object_traceback(&block[0]), expected);
    assert_eq!(tracemalloc::get_object_traceback(&block[block.len() - 1]), expected);
    assert_eq!(tracemalloc::get_object_traceback(&block[17..90]), expected);
    assert_eq!(tracemalloc::get_object_traceback(block.as_ptr_range().end), None);
    let counted = black_box(std::rc::Rc::new(5_u64));
    assert!(tracemalloc::get_object_traceback(&*counted).is_some(), "its counts are before it");
    assert_eq!(tracemalloc::get_object_traceback(&counted), None, "on the stack");
    assert_eq!(tracemalloc::get_object_traceback(&REFUSES), None, "in a static");
    assert_eq!(tracemalloc::get_object_traceback(std::ptr::null::<u8>()), None);
    assert_eq!(
        tracemalloc::get_object_traceback(std::ptr::without_provenance::<u8>(usize::MAX)),
        None
    );
}

fn a_forked_child_knows_what_its_parent_knew() {
    #[cfg(unix)]
    {
        tracemalloc::start(3).unwrap();
        let (block, _) = page();
        let expected = tracemalloc::get_object_traceback(block.as_ptr()).unwrap();
        // SAFETY: the child looks up the block and exits, without destructors.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let same = tracemalloc::get_object_traceback(block.as_ptr()) == Some(expected);
            let (own, line) = page();
            let snapshot = tracemalloc::take_snapshot().unwrap();
            let both = here(&snapshot).iter().filter(|found| **found == (4096, line)).count() == 2;
            drop(own);
            // SAFETY: ends the child at once.
            unsafe { libc::_exit(if same && both { 0 } else { 1 }) };
        }
        let mut status = 0;
        // SAFETY: `status` is a place to write to, `child` a child of ours.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert_eq!(status, 0);
    }
}

/// Each process begins anew, because its first snapshot takes long: it reads debug information,
/// under a lock. The children hang if that lock stays held there.
fn a_child_that_is_forked_during_a_snapshot_takes_its_own() {
    for run in 0..20 {
        let output = this_program("fork").output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "run {run}: {:?}: {text}", output.status);
    }
}

#[cfg(unix)]
fn fork_during_a_snapshot() -> ExitCode {
    tracemalloc::start(25).unwrap();
    let begun = AtomicBool::new(false);
    let mut status = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            begun.store(true, Ordering::Release);
            assert!(tracemalloc::take_snapshot().is_ok());
        });
        while !begun.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
        // SAFETY: the child takes a snapshot and exits, without destructors; for a signal if it
        // hangs.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: takes a number.
            unsafe { libc::alarm(30) };
            let (_block, line) = page();
            let snapshot = tracemalloc::take_snapshot();
            let is_there = snapshot.is_ok_and(|snapshot| here(&snapshot).contains(&(4096, line)));
            // SAFETY: ends the child at once.
            unsafe { libc::_exit(if is_there { 0 } else { 1 }) };
        }
        // SAFETY: `status` is a place to write to, `child` a child of ours.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    });
    assert_eq!(status, 0, "the child's status");
    ExitCode::SUCCESS
}

#[cfg(not(unix))]
fn fork_during_a_snapshot() -> ExitCode {
    ExitCode::SUCCESS
}

#[inline(never)]
fn track(domain: u32, address: usize, size: usize) -> (Result<(), Error>, u32) {
    (black_box(tracemalloc::track(domain, address, size)), line!())
}

fn in_domain(domain: u32) -> Snapshot {
    tracemalloc::take_snapshot().unwrap().filter_traces(&[&DomainFilter::new(true, domain)])
}

fn blocks_of_other_domains_are_traced() {
    tracemalloc::start(5).unwrap();
    let (result, line) = track(5, 0x7000, 123);
    result.unwrap();
    assert_eq!(tracemalloc::get_traced_memory(), (123, 123));
    let snapshot = in_domain(5);
    assert_eq!(snapshot.traces().len(), 1);
    let trace = &snapshot.traces()[0];
    assert_eq!((trace.domain(), trace.size()), (5, 123));
    assert_eq!(trace.traceback().last().unwrap().lineno(), line);
    for domain in [1, 389_047, u32::MAX] {
        tracemalloc::track(domain, 0x7000, usize::MAX >> 2).unwrap();
        assert_eq!(
            in_domain(domain).traces()[0].size(),
            u64::MAX >> 2,
            "one address in two domains is two blocks"
        );
        tracemalloc::untrack(domain, 0x7000).unwrap();
    }
    assert_eq!(tracemalloc::get_object_traceback(std::ptr::without_provenance::<u8>(0x7000)), None);
    let (before, _) = tracemalloc::get_traced_memory();
    tracemalloc::untrack(5, 0x7000).unwrap();
    assert_eq!(before - tracemalloc::get_traced_memory().0, 123);
}

fn a_block_that_is_tracked_again_is_replaced() {
    tracemalloc::start(5).unwrap();
    tracemalloc::track(5, 0x7000, 1_000).unwrap();
    let (result, line) = track(5, 0x7000, 10);
    result.unwrap();
    assert_eq!(
        tracemalloc::get_traced_memory(),
        (10, 1_000),
        "the old size goes before the new one comes"
    );
    let snapshot = in_domain(5);
    assert_eq!(snapshot.traces().len(), 1);
    assert_eq!(snapshot.traces()[0].size(), 10);
    assert_eq!(snapshot.traces()[0].traceback().last().unwrap().lineno(), line);
}

fn untracking_twice_is_harmless() {
    tracemalloc::start(1).unwrap();
    tracemalloc::track(5, 0x7000, 10).unwrap();
    tracemalloc::untrack(6, 0x7000).unwrap();
    assert_eq!(tracemalloc::get_traced_memory(), (10, 10));
    tracemalloc::untrack(5, 0x7000).unwrap();
    tracemalloc::untrack(5, 0x7000).unwrap();
    assert_eq!(tracemalloc::get_traced_memory(), (0, 10));
    assert_eq!(in_domain(5).traces(), []);
}

fn nothing_is_tracked_after_stopping() {
    tracemalloc::start(1).unwrap();
    tracemalloc::track(5, 0x7000, 10).unwrap();
    tracemalloc::stop();
    assert_eq!(tracemalloc::track(5, 0x8000, 10), Err(Error::NotTracing));
    assert_eq!(tracemalloc::untrack(5, 0x7000), Err(Error::NotTracing));
    tracemalloc::start(1).unwrap();
    assert_eq!(tracemalloc::get_traced_memory(), (0, 0));
    assert_eq!(in_domain(5).traces(), []);
}

fn any_thread_may_track() {
    tracemalloc::start(1).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4_usize {
            scope.spawn(move || {
                for n in 0..5_000 {
                    tracemalloc::track(5, thread << 32 | n, 10).unwrap();
                }
                for n in (0..5_000).step_by(2) {
                    tracemalloc::untrack(5, thread << 32 | n).unwrap();
                }
            });
        }
    });
    let snapshot = in_domain(5);
    assert_eq!(snapshot.traces().len(), 4 * 2_500);
    assert!(snapshot.traces().iter().all(|trace| trace.size() == 10));
}

fn domain_0_is_the_allocator_s() {
    tracemalloc::start(1).unwrap();
    let (block, _) = page();
    tracemalloc::track(0, block.as_ptr().addr(), 10_000).unwrap();
    assert_eq!(tracemalloc::get_traced_memory().0, 10_000, "the allocator's block is replaced");
    assert!(tracemalloc::get_object_traceback(block.as_ptr()).is_some());
    drop(block);
    assert_eq!(tracemalloc::get_traced_memory().0, 0);
    let (block, _) = page();
    tracemalloc::untrack(0, block.as_ptr().addr()).unwrap();
    assert_eq!(tracemalloc::get_traced_memory().0, 0);
    assert_eq!(tracemalloc::get_object_traceback(block.as_ptr()), None);
    drop(block);
    tracemalloc::track(0, 3, 7).unwrap();
    assert_eq!(tracemalloc::take_snapshot().unwrap().traces()[0].domain(), 0);
    tracemalloc::untrack(0, 3).unwrap();
    assert_eq!(tracemalloc::get_traced_memory().0, 0);
}

/// The answers of a real CPython to the same calls, of `golden` or of `TRACEMALLOC_GOLDEN_DIR`.
fn registries_live_as_in_cpython() {
    let directory = std::env::var_os("TRACEMALLOC_GOLDEN_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden"), PathBuf::from);
    let mut replayed = 0;
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let case: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        for op in case["ops"].as_array().unwrap().iter().filter(|op| op["op"] == "live") {
            tracemalloc::stop();
            tracemalloc::start(1).unwrap();
            tracemalloc::stop();
            for (index, event) in op["events"].as_array().unwrap().iter().enumerate() {
                replay(event, &format!("{}: event {index}, {event}", path.display()));
                replayed += 1;
            }
        }
    }
    println!("{replayed} events");
    assert!(replayed > 100);
}

fn replay(event: &Value, place: &str) {
    let number = |index: usize| event[index].as_u64().unwrap_or_else(|| panic!("{place}: {index}"));
    let code = |result: Result<(), Error>| match result {
        Ok(()) => 0,
        Err(Error::NotTracing) => -2,
        Err(error) => panic!("{place}: {error}"),
    };
    match event[0].as_str().unwrap() {
        "start" => tracemalloc::start(number(1) as u32).unwrap(),
        "stop" => tracemalloc::stop(),
        "clear" => tracemalloc::clear_traces(),
        "reset_peak" => tracemalloc::reset_peak(),
        "track" => {
            let result =
                tracemalloc::track(number(1) as u32, number(2) as usize, number(3) as usize);
            assert_eq!(event[4], code(result), "{place}");
        }
        "untrack" => {
            let result = tracemalloc::untrack(number(1) as u32, number(2) as usize);
            assert_eq!(event[3], code(result), "{place}");
        }
        // This program's own blocks are rounded away, as those of the interpreter were.
        "get" => {
            let (current, peak) = tracemalloc::get_traced_memory();
            assert_eq!((rounded(current), rounded(peak)), (number(1), number(2)), "{place}");
        }
        "tracing" => assert_eq!(event[1], tracemalloc::is_tracing(), "{place}"),
        "limit" => assert_eq!(number(1), u64::from(tracemalloc::get_traceback_limit()), "{place}"),
        "snapshot" => {
            let found = tracemalloc::take_snapshot().map(|snapshot| {
                let others = snapshot.traces().iter().filter(|trace| trace.domain() != 0);
                let mut found: Vec<(u32, u64)> =
                    others.map(|trace| (trace.domain(), trace.size())).collect();
                found.sort_unstable();
                found
            });
            match event[1].as_array() {
                Some(expected) => {
                    let pair = |pair: &Value| {
                        (pair[0].as_u64().unwrap() as u32, pair[1].as_u64().unwrap())
                    };
                    assert_eq!(
                        found.unwrap(),
                        expected.iter().map(pair).collect::<Vec<_>>(),
                        "{place}"
                    );
                }
                None => assert_eq!(found, Err(Error::SnapshotNeedsTracing), "{place}"),
            }
        }
        name => panic!("{place}: no event is called {name}"),
    }
}

/// To a multiple of what the oracle's sizes are multiples of.
fn rounded(bytes: u64) -> u64 {
    const UNIT: u64 = 1 << 32;
    (bytes + UNIT / 2) / UNIT * UNIT
}

fn the_harness_does_not_see_what_the_program_clears() {
    internal::start(Walk::Unwind, 64);
    let pause = internal::pause();
    let before = Live::now();
    drop(pause);
    let (first, _) = page();
    tracemalloc::start(1).unwrap();
    let (second, _) = page();
    tracemalloc::clear_traces();
    let (third, _) = page();
    tracemalloc::track(9, 0x9000, 500).unwrap();
    assert_eq!(tracemalloc::get_traced_memory().0, 4096 + 500);
    tracemalloc::stop();
    let (fourth, _) = page();
    let grown = |before: &Live| {
        let _pause = internal::pause();
        let changes = Live::now().changes_since(before);
        changes.iter().fold((0, 0), |sum, change| (sum.0 + change.bytes, sum.1 + change.blocks))
    };
    assert_eq!(grown(&before), (4 * 4096 + 500, 5));
    assert_eq!(tracemalloc::untrack(9, 0x9000), Err(Error::NotTracing));
    drop((first, second, third, fourth));
    assert_eq!(grown(&before), (0, 0));
}

fn the_program_does_not_see_what_the_harness_traces() {
    internal::start(Walk::Unwind, 64);
    let (before, _) = page();
    assert!(!tracemalloc::is_tracing());
    assert_eq!(tracemalloc::get_traced_memory(), (0, 0));
    assert_eq!(tracemalloc::get_object_traceback(before.as_ptr()), None);
    assert_eq!(tracemalloc::take_snapshot(), Err(Error::SnapshotNeedsTracing));
    tracemalloc::start(1).unwrap();
    drop(before);
    assert_eq!(tracemalloc::get_traced_memory(), (0, 0));
}

/// Eight threads allocate, reallocate and free, mostly what another one allocated, while one takes
/// snapshots, clears, stops and starts. In the end all that is left is there, and nothing else.
fn threads_lose_and_invent_nothing() {
    const THREADS: usize = 8;
    let rounds = if cfg!(debug_assertions) { 20_000 } else { 200_000 };
    let kept_bytes = AtomicU64::new(0);
    let working = AtomicBool::new(true);
    let (keepers, kept) = mpsc::channel::<Vec<u64>>();
    tracemalloc::start(3).unwrap();
    std::thread::scope(|scope| {
        let (senders, receivers): (Vec<_>, Vec<_>) =
            (0..THREADS).map(|_| mpsc::sync_channel::<Vec<u64>>(64)).unzip();
        let mut workers = Vec::new();
        for (number, receiver) in receivers.into_iter().enumerate() {
            let next = senders[(number + 1) % THREADS].clone();
            workers.push(scope.spawn(move || {
                for round in 0..rounds {
                    let mut block = vec![number as u64; round % 50 + 1];
                    if round % 2 == 0 {
                        block.reserve_exact(round % 100 + 51);
                    }
                    if let Err(mpsc::TrySendError::Full(mine)) = next.try_send(block) {
                        drop(mine);
                    }
                    drop(receiver.try_recv());
                }
            }));
        }
        drop(senders);
        let controller = scope.spawn(|| {
            let mut snapshots = 0;
            while working.load(Ordering::Acquire) {
                if let Ok(snapshot) = tracemalloc::take_snapshot() {
                    for trace in snapshot.traces() {
                        assert!(trace.size() < 1 << 20, "{trace:?}");
                        assert!(!trace.traceback().is_empty());
                    }
                    snapshots += 1;
                }
                match snapshots % 4 {
                    1 => tracemalloc::clear_traces(),
                    2 => tracemalloc::reset_peak(),
                    3 => {
                        tracemalloc::stop();
                        tracemalloc::start(3).unwrap();
                    }
                    _ => {}
                }
                let (current, peak) = tracemalloc::get_traced_memory();
                assert!(current <= peak && peak < 1 << 30, "{current} {peak}");
            }
            snapshots
        });
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        working.store(false, Ordering::Release);
        let snapshots = controller.join().unwrap();
        assert!(snapshots > 0);
        // From now on, blocks are counted from an empty view, while threads free and allocate at
        // once.
        tracemalloc::clear_traces();
        std::thread::scope(|scope| {
            let spawn = |number| {
                let (keepers, kept_bytes) = (keepers.clone(), &kept_bytes);
                scope.spawn(move || {
                    for round in 0..rounds / 10 {
                        let mut block = Vec::with_capacity(round % 30 + 1);
                        block.push(number as u64);
                        block.reserve_exact(40);
                        if round % 10 == 0 {
                            kept_bytes.fetch_add(block.capacity() as u64 * 8, Ordering::Relaxed);
                            keepers.send(block).unwrap();
                        }
                    }
                })
            };
            // The scope alone does not wait for what threads free at their very end.
            let threads: Vec<_> = (0..THREADS).map(spawn).collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        });
    });
    let kept: Vec<Vec<u64>> = kept.try_iter().collect();
    let snapshot = tracemalloc::take_snapshot().unwrap();
    let (current, _) = tracemalloc::get_traced_memory();
    assert_eq!(
        snapshot.traces().iter().map(tracemalloc::Trace::size).sum::<u64>(),
        current,
        "counted as listed"
    );
    let blocks: u64 = kept.iter().map(|block| block.capacity() as u64 * 8).sum();
    assert_eq!(blocks, kept_bytes.load(Ordering::Relaxed));
    for block in &kept {
        assert!(tracemalloc::get_object_traceback(block.as_ptr()).is_some(), "no block is lost");
    }
    let listed =
        here(&snapshot).iter().filter(|(size, _)| (8 * 41..=8 * 70).contains(size)).count();
    assert_eq!(listed, kept.len(), "no block is invented");
    drop(kept);
    assert_eq!(internal::missed(), 0);
}

fn code_without_frame_pointers_has_whole_tracebacks() {
    #[inline(never)]
    fn outer() -> ((Vec<u8>, u32), u32) {
        (black_box(page()), line!())
    }
    tracemalloc::start(3).unwrap();
    let ((block, inner_line), outer_line) = outer();
    let line = line!() - 1;
    let traceback = tracemalloc::get_object_traceback(block.as_ptr()).unwrap();
    assert_eq!(lines(&traceback), [line, outer_line, inner_line]);
    // Again: what was found out about the chain of frame pointers is remembered.
    for _ in 0..3 {
        let ((again, _), _) = outer();
        assert_eq!(
            lines(&tracemalloc::get_object_traceback(again.as_ptr()).unwrap())[1..],
            [outer_line, inner_line]
        );
    }
}

/// This program again, in the role that the environment says.
fn child(role: &str) -> ExitCode {
    match role {
        // The standard library's first allocations came before this.
        "tell" => println!(
            "{} {} {}",
            tracemalloc::is_tracing(),
            tracemalloc::get_traceback_limit(),
            tracemalloc::get_traced_memory().1 > 0
        ),
        "fork" => return fork_during_a_snapshot(),
        _ => unreachable!("{role}"),
    }
    ExitCode::SUCCESS
}

/// This program again, in a role.
fn this_program(role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env("LIVE_TEST_ROLE", role).env_remove("TRACEMALLOC");
    command
}

fn ended_with(value: Option<&str>) -> (Option<i32>, String, String) {
    let mut command = this_program("tell");
    if let Some(value) = value {
        command.env("TRACEMALLOC", value);
    }
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn the_environment_starts_tracing_before_main() {
    for (value, limit) in [("1", 1), ("25", 25), ("65535", 65535), (" +0007", 7)] {
        assert_eq!(
            ended_with(Some(value)),
            (Some(0), format!("true {limit} true\n"), String::new()),
            "{value:?}"
        );
    }
}

fn the_environment_may_say_no() {
    for value in [None, Some(""), Some("0"), Some("000")] {
        assert_eq!(
            ended_with(value),
            (Some(0), "false 1 false\n".to_owned(), String::new()),
            "{value:?}"
        );
    }
}

fn the_environment_is_read_as_by_cpython() {
    for value in ["-1", "abc", "5 ", "0x10", "1e3", "2147483648", "65536"] {
        let message = format!(
            "tracemalloc: TRACEMALLOC has to be a number of frames from 0 to 65535, and is {value:?}\n"
        );
        assert_eq!(ended_with(Some(value)), (Some(1), String::new(), message), "{value:?}");
    }
}
