//! The workloads as a program traces itself: `NFRAME=16 program WORKLOAD PARTS`, or with
//! `INTERVAL=524288` to sample.
//! `cargo tracemalloc run` starts tracing by the same call.

use std::process::ExitCode;

use bench_traced::tracemalloc;

fn main() -> ExitCode {
    let nframe = std::env::var("NFRAME")
        .ok()
        .and_then(|nframe| nframe.parse().ok())
        .expect("NFRAME is a number");
    let interval = std::env::var("INTERVAL").ok().and_then(|interval| interval.parse().ok());
    let start = || match interval {
        None => tracemalloc::start(nframe).expect("the allocator traces"),
        Some(interval) => {
            tracemalloc::start_sampled(nframe, interval).expect("the allocator traces");
        }
    };
    bench_workloads::main(start, |work| work())
}
