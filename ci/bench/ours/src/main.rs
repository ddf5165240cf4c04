//! The workloads as `cargo tracemalloc test` traces them: tracing starts as in a test's process.

use std::process::ExitCode;

use bench_traced::tracemalloc::internal::{self, FRAMES_OF_STD, Outermost, Walk};

/// Frames that a traceback shows.
const FRAMES: usize = 16;

fn main() -> ExitCode {
    // As in the harness: its own thread is not traced, the one that it starts for a test is.
    let _pause = internal::pause();
    let start = || {
        internal::start(Walk::FramePointers, FRAMES + FRAMES_OF_STD);
        assert!(internal::is_this_copy_installed(), "the tracing allocator is not the global one");
        // As `--domain rust` has it, if the variable is there.
        if std::env::var_os("ONLY_RUST").is_none() {
            assert!(internal::c_malloc::arm(), "blocks of C cannot be traced here");
        }
    };
    bench_workloads::main(start, |work| {
        let _outermost = Outermost::here();
        work();
    })
}
