//! Times of statistics, filters and files of a snapshot of a million blocks: `cargo bench -p
//! tracemalloc-rt --bench model`.
//!
//! In the first round the blocks share tracebacks, as those of a real snapshot. In the second round
//! each block has a traceback of its own, so that all of them have to be compared.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use tracemalloc::{Filter, Frame, KeyType, Snapshot, Trace, Traceback};

/// A million, and few under `cargo test`, which only checks that this works.
fn traces() -> u32 {
    if std::env::args().any(|argument| argument == "--bench") { 1_000_000 } else { 10_000 }
}

const STACKS: u32 = 20_000;
const FRAMES: u32 = 16;

fn main() {
    measure("shared", &shared());
    measure("separate", &separate());
}

fn measure(name: &str, snapshot: &Snapshot) {
    let time = |question: &str, ask: &dyn Fn()| {
        let start = Instant::now();
        ask();
        let seconds = start.elapsed().as_secs_f64();
        println!("{name:8} {question:28} {seconds:.3} s");
    };
    for key_type in [KeyType::Filename, KeyType::Lineno, KeyType::Traceback] {
        time(&format!("statistics {key_type}"), &|| {
            black_box(snapshot.statistics(key_type, false)).unwrap();
        });
    }
    time("statistics lineno cumulative", &|| {
        black_box(snapshot.statistics(KeyType::Lineno, true)).unwrap();
    });
    time("compare_to traceback", &|| {
        black_box(snapshot.compare_to(snapshot, KeyType::Traceback, false)).unwrap();
    });
    time("filter_traces", &|| {
        let std = Filter::new(false, "*/library/*");
        let all_frames = Filter::new(true, "src/*7?.rs").with_all_frames(true);
        black_box(snapshot.filter_traces(&[&std, &all_frames]));
    });
    let path = std::env::temp_dir().join(format!("tracemalloc-bench-{}.json", std::process::id()));
    time("dump", &|| snapshot.dump(&path).unwrap());
    time("load", &|| {
        black_box(Snapshot::load(&path)).unwrap();
    });
    std::fs::remove_file(path).unwrap();
}

fn shared() -> Snapshot {
    let files = files();
    let tracebacks: Vec<Traceback> = (0..STACKS).map(|stack| traceback(&files, stack)).collect();
    snapshot(|stack| tracebacks[stack as usize].clone())
}

fn separate() -> Snapshot {
    let files = files();
    snapshot(|stack| traceback(&files, stack))
}

/// Blocks in an order that has nothing to do with their stacks.
fn snapshot(mut traceback: impl FnMut(u32) -> Traceback) -> Snapshot {
    let traces = (0..traces()).map(|index| {
        let stack = index.wrapping_mul(2_654_435_761) % STACKS;
        Trace::new(0, u64::from(index % 4096), traceback(stack))
    });
    Snapshot::new(traces.collect(), FRAMES)
}

/// Frames of 300 files of 100 lines each.
fn files() -> Vec<Vec<Frame>> {
    let file = |number: u32| {
        let filename: Arc<str> = format!("src/some/module/file{number}.rs").into();
        (1..=100).map(|lineno| Frame::new(Arc::clone(&filename), lineno)).collect()
    };
    (0..300).map(file).collect()
}

fn traceback(files: &[Vec<Frame>], stack: u32) -> Traceback {
    let frames: Vec<Frame> = (0..FRAMES)
        .map(|depth| {
            let file = &files[(stack >> depth) as usize % files.len()];
            file[(stack + depth) as usize % file.len()].clone()
        })
        .collect();
    Traceback::new(frames, Some(FRAMES))
}
