//! The workloads on jemalloc. The driver has it sample every allocation, by `_RJEM_MALLOC_CONF`.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    bench_workloads::main(|| {}, |work| work())
}
