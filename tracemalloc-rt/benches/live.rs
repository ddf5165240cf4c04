//! The cost of a million live blocks: of tracing them, and of snapshots and statistics.
//!
//! `cargo bench --bench live`, with `RUSTFLAGS="-C force-frame-pointers=yes"` or without. `python3
//! benches/live.py` does the same in CPython.

use std::hint::black_box;
use std::time::Instant;

use tracemalloc::{KeyType, Tracemalloc};

#[global_allocator]
static ALLOCATOR: Tracemalloc = Tracemalloc::system();

/// A million, and few under `cargo test`, which only checks that this works.
fn count() -> usize {
    if std::env::args().any(|argument| argument == "--bench") { 1_000_000 } else { 1_000 }
}

#[inline(never)]
fn descend(depth: usize) -> Vec<Box<[u8]>> {
    if depth == 0 {
        let mut blocks = Vec::with_capacity(count());
        for n in 0..blocks.capacity() {
            blocks.push(black_box(Box::from(n.to_ne_bytes())));
        }
        return blocks;
    }
    black_box(descend(depth - 1))
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let result = work();
    println!("{what:36} {:8.4} s", started.elapsed().as_secs_f64());
    result
}

/// Bytes of this process that are in memory.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = status.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}

fn main() {
    let warm = descend(20);
    let before = resident();
    drop(warm);
    let untraced = timed("allocate, untraced", || descend(20));
    let untraced_bytes = resident().max(before);
    drop(untraced);
    for nframe in [1, 10, 25] {
        println!("-- nframe {nframe}");
        tracemalloc::start(nframe).expect("the allocator traces");
        let blocks = timed("allocate", || descend(20));
        println!(
            "{:36} {:8.1} B",
            "resident, a block more",
            resident().saturating_sub(untraced_bytes) as f64 / count() as f64
        );
        println!(
            "{:36} {:8.1} B",
            "get_tracemalloc_memory, a block",
            tracemalloc::get_tracemalloc_memory() as f64 / count() as f64
        );
        let first = timed("take_snapshot", || tracemalloc::take_snapshot().expect("it traces"));
        for (name, key_type) in [
            ("filename", KeyType::Filename),
            ("lineno", KeyType::Lineno),
            ("traceback", KeyType::Traceback),
        ] {
            timed(&format!("statistics {name}"), || {
                first.statistics(key_type, false).expect("the key is known")
            });
        }
        let more = descend(3);
        let second = timed("take_snapshot of twice as many", || {
            tracemalloc::take_snapshot().expect("it traces")
        });
        timed("compare_to lineno", || {
            second.compare_to(&first, KeyType::Lineno, false).expect("the key is known")
        });
        drop((first, second));
        timed("free", || drop((blocks, more)));
        tracemalloc::stop();
    }
}
