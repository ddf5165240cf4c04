//! Every block is counted once, whichever threads allocate, reallocate and free it.
//!
//! The tests do without libtest, whose main thread allocates while a test runs: all blocks of this
//! process are counted.

use std::hint::black_box;
use std::sync::mpsc;

use tracemalloc::Tracemalloc;
use tracemalloc::internal::{self, Change, Live, Walk};

#[global_allocator]
static ALLOCATOR: Tracemalloc = Tracemalloc::system();

fn sum(changes: &[Change]) -> (i64, i64) {
    changes
        .iter()
        .fold((0, 0), |(bytes, blocks), change| (bytes + change.bytes, blocks + change.blocks))
}

fn main() {
    counts_are_exact();
}

fn counts_are_exact() {
    for walk in [Walk::FramePointers, Walk::Unwind] {
        internal::start(walk, 64);
        one_thread();
        failed_reallocation();
        #[cfg(target_os = "linux")]
        freed_by_c();
        blocks_from_before_tracing(walk);
        #[cfg(target_os = "linux")]
        forked_child();
        threads(if walk == Walk::Unwind { 100 } else { 10_000 });
        assert_eq!(internal::missed(), 0);
        internal::stop();
    }
}

fn one_thread() {
    let before = Live::now();
    let kept: Vec<Box<[u8; 100]>> = black_box((0..10).map(|_| Box::new([0; 100])).collect());
    let changes = Live::now().changes_since(&before);
    assert_eq!(sum(&changes), (10 * 100 + 10 * 8, 11));
    drop(changes);
    drop(kept);
    assert_eq!(Live::now().changes_since(&before), []);

    let paused = internal::pause();
    let unseen = black_box(vec![0_u8; 77]);
    drop(paused);
    assert_eq!(Live::now().changes_since(&before), []);
    drop(unseen);
    let seen = black_box(vec![0_u8; 77]);
    let paused = internal::pause();
    drop(seen);
    drop(paused);
    assert_eq!(Live::now().changes_since(&before), []);
}

/// A block that C has freed is forgotten when its address is handed out again. AddressSanitizer
/// hands out other addresses for a while.
#[cfg(target_os = "linux")]
fn freed_by_c() {
    let before = Live::now();
    let mut addresses = [0; 100];
    for address in &mut addresses {
        let block = Box::into_raw(Box::new([1_u8; 1234]));
        *address = block.addr();
        // SAFETY: the inner allocator is the system's.
        unsafe { libc::free(black_box(block).cast()) };
    }
    addresses.sort_unstable();
    let different = addresses.chunk_by(|a, b| a == b).count() as i64;
    let (_, blocks) = sum(&Live::now().changes_since(&before));
    assert!(blocks <= different, "{blocks} blocks at {different} addresses");
    let block = black_box(Box::new([1_u8; 1234]));
    drop(block);
    let (_, blocks) = sum(&Live::now().changes_since(&before));
    assert!(blocks <= different, "{blocks} blocks at {different} addresses");
}

fn failed_reallocation() {
    let before = Live::now();
    let mut vec = black_box(vec![1_u8; 64]);
    assert!(vec.try_reserve_exact(isize::MAX as usize - 64).is_err());
    assert_eq!(sum(&Live::now().changes_since(&before)), (64, 1));
    drop(vec);
    assert_eq!(Live::now().changes_since(&before), []);
}

fn blocks_from_before_tracing(walk: Walk) {
    internal::stop();
    let mut unknown = black_box(vec![0_u8; 500]);
    let freed = black_box(vec![0_u8; 500]);
    internal::start(walk, 64);
    let before = Live::now();
    drop(freed);
    assert_eq!(Live::now().changes_since(&before), []);
    unknown.reserve_exact(1_000);
    assert_eq!(sum(&Live::now().changes_since(&before)), (1_500, 1));
    drop(unknown);
    assert_eq!(Live::now().changes_since(&before), []);
}

fn threads(rounds: usize) {
    let before = Live::now();
    let (senders, receivers): (Vec<_>, Vec<_>) =
        (0..8).map(|_| mpsc::sync_channel::<Vec<u64>>(16)).unzip();
    let kept: i64 = std::thread::scope(|scope| {
        let mut workers = Vec::new();
        for (number, receiver) in receivers.into_iter().enumerate() {
            let next = senders[(number + 1) % senders.len()].clone();
            workers.push(scope.spawn(move || {
                let mut forgotten = 0;
                for round in 0..rounds {
                    let mut block = vec![number as u64; round % 40 + 1];
                    block.reserve_exact(round % 100 + 1);
                    if round % 97 == 0 {
                        forgotten += block.capacity() as i64 * 8;
                        std::mem::forget(block);
                    } else if let Err(mpsc::TrySendError::Full(mine)) = next.try_send(block) {
                        drop(mine);
                    }
                    if round % 3 == 0 {
                        drop(receiver.try_recv());
                    }
                }
                forgotten
            }));
        }
        drop(senders);
        workers.into_iter().map(|worker| worker.join().expect("no panic")).sum()
    });
    let grown = sum(&Live::now().changes_since(&before));
    assert_eq!(grown, (kept, 8 * rounds.div_ceil(97) as i64));
}

/// Other threads take our locks all the time while the process forks; the child has to find them
/// free.
#[cfg(target_os = "linux")]
fn forked_child() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let starters: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        std::thread::spawn(|| black_box(vec![0_u8; 10])).join().expect("no panic");
                    }
                })
            })
            .collect();
        for _ in 0..100 {
            // SAFETY: the child only allocates, frees and exits; glibc releases its own allocator's
            // locks in it.
            let child = unsafe { libc::fork() };
            if child == 0 {
                let before = Live::now();
                let block = deep(20, 100);
                let grown = sum(&Live::now().changes_since(&before));
                drop(block);
                // SAFETY: ends the child at once, without running the parent's destructors.
                unsafe { libc::_exit(if grown == (100, 1) { 0 } else { 1 }) };
            }
            let mut status = 0;
            // SAFETY: `status` is a place to write to, `child` a child of ours.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            assert_eq!(status, 0, "the child counts right");
        }
        done.store(true, Ordering::Relaxed);
        // The scope would let go of them before they have dropped their thread-locals.
        starters.into_iter().for_each(|starter| starter.join().expect("no panic"));
    });
}

#[cfg(target_os = "linux")]
#[inline(never)]
fn deep(depth: usize, size: usize) -> Vec<u8> {
    if depth == 0 { black_box(vec![0; size]) } else { black_box(deep(depth - 1, size)) }
}
