//! Time and memory of a heap search: `cargo bench -p tracemalloc-rt --bench heap`.

use std::hint::black_box;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tracemalloc::Tracemalloc;

#[global_allocator]
static ALLOCATOR: Tracemalloc = Tracemalloc::system();

static BLOCKS: Mutex<Vec<Vec<usize>>> = Mutex::new(Vec::new());

/// The most memory that a child of this process has had, in bytes. Those of the process count for a
/// copy of it too.
#[cfg(unix)]
fn largest_copy() -> u64 {
    // SAFETY: zeroes are a valid value, which is written over.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage);
        usage
    };
    usage.ru_maxrss as u64 * 1024
}

#[cfg(not(unix))]
fn largest_copy() -> u64 {
    0
}

/// Bytes of this process that are in memory.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = status.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}

fn main() {
    // Few under `cargo test`, which only checks that this works.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let counts: &[usize] = if is_bench { &[1_000, 100_000, 10_000_000] } else { &[1_000] };
    tracemalloc::start(1).expect("the allocator traces");
    for count in counts {
        BLOCKS.lock().expect("no thread panics").resize_with(*count, || black_box(vec![7; 4]));
        let mut least = Duration::MAX;
        for _ in 0..5 {
            let started = Instant::now();
            match tracemalloc::holders() {
                Ok(holders) => assert!(holders[0].count >= *count as u64),
                Err(why) => return println!("{why}"),
            }
            least = least.min(started.elapsed());
        }
        let more = largest_copy().saturating_sub(resident());
        println!(
            "{count:10} blocks {:9.4} s, {:7.1} MiB more in the copy",
            least.as_secs_f64(),
            more as f64 / 1048576.0
        );
    }
}
