//! Everything at once, at random: threads allocate, hand on and free, while others start, stop,
//! clear, read, track and fork.
//!
//! Rounds are short. Between two rounds all is quiet, and every number has to be exact. In CI it
//! runs for two seconds; `STRESS_SECONDS=600 cargo test --test stress` runs longer.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use tracemalloc::internal::{self, Live, Walk};
use tracemalloc::{Trace, Tracemalloc};

#[global_allocator]
static ALLOCATOR: Tracemalloc = Tracemalloc::system();

const WORKERS: usize = 8;
/// A domain that only this program names.
const DOMAIN: u32 = 7;
/// Of the blocks there.
const ADDRESSES: [usize; 4] = [0x1000, 0x2000, 0x3000, 0x4000];

/// Numbers that look random.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) as usize % end
    }
}

fn main() {
    let seconds = std::env::var("STRESS_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(2));
    let mut round = 0;
    while Instant::now() < end {
        round += 1;
        one_round(round);
    }
    println!("{round} rounds");
}

fn one_round(round: u64) {
    let mut numbers = Numbers(round);
    let harness = numbers.below(2) == 0;
    if harness {
        internal::start(Walk::FramePointers, 64);
    }
    let nframe = [1, 16, 300][numbers.below(3)];
    tracemalloc::start(nframe).unwrap();
    let before = Live::now();
    let is_over = AtomicBool::new(false);
    let kept_bytes = AtomicU64::new(0);
    let kept = std::thread::scope(|scope| {
        let (senders, receivers): (Vec<_>, Vec<_>) =
            (0..WORKERS).map(|_| sync_channel::<Vec<u8>>(64)).unzip();
        let mut workers = Vec::new();
        for (number, receiver) in receivers.into_iter().enumerate() {
            let next = senders[(number + 1) % WORKERS].clone();
            let (is_over, seed) = (&is_over, round * 100 + number as u64);
            workers.push(scope.spawn(move || work(Numbers(seed), &next, &receiver, is_over)));
        }
        drop(senders);
        let controllers: Vec<_> = (0..2)
            .map(|number| {
                let (is_over, seed) = (&is_over, round * 100 + 50 + number);
                scope.spawn(move || control(Numbers(seed), nframe, is_over))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(60));
        is_over.store(true, Ordering::Release);
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        controllers.into_iter().for_each(|controller| controller.join().unwrap());
        for address in ADDRESSES {
            let _not_tracing = tracemalloc::untrack(DOMAIN, address);
        }
        // From now on an empty view counts, while threads allocate and free.
        tracemalloc::stop();
        tracemalloc::start(nframe).unwrap();
        let keepers: Vec<_> = (0..WORKERS)
            .map(|number| {
                let (kept_bytes, seed) = (&kept_bytes, round * 100 + number as u64);
                scope.spawn(move || keep(Numbers(seed), kept_bytes))
            })
            .collect();
        keepers.into_iter().map(|keeper| keeper.join().unwrap()).collect::<Vec<_>>()
    });
    quiet(&kept, kept_bytes.into_inner());
    drop(kept);
    tracemalloc::stop();
    assert_eq!(tracemalloc::get_traced_memory(), (0, 0));
    if harness {
        let changes = Live::now().changes_since(&before);
        let live: i64 = changes.iter().map(|change| change.bytes).sum();
        // The standard library keeps a little of threads that have ended.
        assert!((0..4096).contains(&live), "round {round}: {live} bytes");
        internal::stop();
    }
    assert_eq!(internal::missed(), 0);
}

/// Allocates at different depths, makes blocks larger, hands them on, frees those of others.
fn work(
    mut numbers: Numbers,
    next: &SyncSender<Vec<u8>>,
    receiver: &Receiver<Vec<u8>>,
    is_over: &AtomicBool,
) {
    while !is_over.load(Ordering::Acquire) {
        let bits = numbers.below(17);
        let size = numbers.below(1 << bits) + 1;
        let mut block = at_depth(numbers.below(40), size);
        if numbers.below(4) == 0 {
            block.reserve_exact(size + numbers.below(100));
        }
        if let Err(error) = next.try_send(block) {
            drop(error);
        }
        if numbers.below(3) == 0 {
            drop(receiver.try_recv());
        }
    }
}

#[inline(never)]
fn at_depth(depth: usize, size: usize) -> Vec<u8> {
    if depth == 0 { Vec::with_capacity(size) } else { black_box(at_depth(depth - 1, size)) }
}

/// Uses each of Python's functions, and forks.
fn control(mut numbers: Numbers, nframe: u32, is_over: &AtomicBool) {
    while !is_over.load(Ordering::Acquire) {
        match numbers.below(10) {
            0 => tracemalloc::start(nframe).unwrap(),
            9 => tracemalloc::start_sampled(nframe, 4096).unwrap(),
            1 => tracemalloc::stop(),
            2 => tracemalloc::clear_traces(),
            3 => tracemalloc::reset_peak(),
            4 => {
                let (bytes, peak) = tracemalloc::get_traced_memory();
                assert!(bytes <= peak && peak < 1 << 40, "{bytes} {peak}");
            }
            5 => {
                for trace in tracemalloc::take_snapshot().iter().flat_map(|all| all.traces()) {
                    assert!(trace.size() < 1 << 22 && !trace.traceback().is_empty(), "{trace:?}");
                }
            }
            6 => {
                let address = ADDRESSES[numbers.below(ADDRESSES.len())];
                let _not_tracing = tracemalloc::track(DOMAIN, address, numbers.below(1 << 20));
            }
            7 => {
                let address = ADDRESSES[numbers.below(ADDRESSES.len())];
                let _not_tracing = tracemalloc::untrack(DOMAIN, address);
            }
            _ => fork(nframe),
        }
        std::thread::sleep(Duration::from_micros(numbers.below(500) as u64));
    }
}

/// The child finds every lock free, and counts right.
#[cfg(target_os = "linux")]
fn fork(nframe: u32) {
    // SAFETY: the child allocates, frees, and ends; glibc releases its allocator's locks in it.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: ends the child if it hangs.
        unsafe { libc::alarm(60) };
        tracemalloc::stop();
        tracemalloc::start(nframe).unwrap();
        let block = at_depth(10, 100_000);
        let while_live = tracemalloc::get_traced_memory();
        drop(block);
        let after = tracemalloc::get_traced_memory();
        let is_right = while_live == (100_000, 100_000) && after == (0, 100_000);
        // SAFETY: ends the child.
        unsafe { libc::_exit(if is_right { 0 } else { 1 }) };
    }
    let mut status = 0;
    // SAFETY: `status` is a place to write to, `child` a child of ours.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "the child counts right");
}

#[cfg(not(target_os = "linux"))]
fn fork(_nframe: u32) {}

/// Keeps some blocks, and adds up their sizes.
fn keep(mut numbers: Numbers, kept_bytes: &AtomicU64) -> Vec<Vec<u8>> {
    let mut kept = Vec::new();
    let mut bytes = 0;
    for number in 0..2000 {
        let block = at_depth(numbers.below(20), numbers.below(2000) + 1);
        if number % 10 == 0 {
            bytes += block.capacity() as u64;
            kept.push(block);
        }
    }
    kept.shrink_to_fit();
    bytes += (kept.capacity() * size_of::<Vec<u8>>()) as u64;
    kept_bytes.fetch_add(bytes, Ordering::Relaxed);
    kept
}

/// All that is kept is there, and is counted as it is listed.
fn quiet(kept: &[Vec<Vec<u8>>], kept_bytes: u64) {
    let snapshot = tracemalloc::take_snapshot().unwrap();
    let (bytes, peak) = tracemalloc::get_traced_memory();
    let listed: u64 = snapshot.traces().iter().map(Trace::size).sum();
    assert_eq!(bytes, listed, "counted as listed");
    assert!(peak >= bytes);
    // The rest is of the threads: their handles and results.
    assert!((kept_bytes..kept_bytes + 65_536).contains(&bytes), "{bytes}, but {kept_bytes} kept");
    for block in kept.iter().flatten() {
        assert!(tracemalloc::get_object_traceback(block.as_ptr()).is_some(), "no block is lost");
    }
    // Nothing else allocates now, so the peak is exact.
    tracemalloc::reset_peak();
    drop(black_box(Vec::<u8>::with_capacity(12_345)));
    assert_eq!(tracemalloc::get_traced_memory(), (bytes, bytes + 12_345));
}
