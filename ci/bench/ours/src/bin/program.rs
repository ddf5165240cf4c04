//! The workloads as a program traces itself: `NFRAME=16 program WORKLOAD PARTS`.
//! `cargo tracemalloc run` starts tracing by the same call.

use std::process::ExitCode;

use bench_traced::tracemalloc;

fn main() -> ExitCode {
    let nframe = std::env::var("NFRAME")
        .ok()
        .and_then(|nframe| nframe.parse().ok())
        .expect("NFRAME is a number");
    let start = || tracemalloc::start(nframe).expect("the allocator traces");
    bench_workloads::main(start, |work| work())
}
