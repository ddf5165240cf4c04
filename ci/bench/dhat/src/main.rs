//! The workloads under dhat-rs, which keeps 16 frames.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

fn main() -> ExitCode {
    let start = || {
        // Never dropped: its output at the end is not measured.
        std::mem::forget(dhat::Profiler::builder().testing().trim_backtraces(Some(16)).build());
    };
    bench_workloads::main(start, |work| work())
}
