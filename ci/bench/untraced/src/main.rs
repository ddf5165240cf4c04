//! The workloads without a tracer, on the system's allocator. External tools run this one.

use std::process::ExitCode;

fn main() -> ExitCode {
    bench_workloads::main(|| {}, |work| work())
}
