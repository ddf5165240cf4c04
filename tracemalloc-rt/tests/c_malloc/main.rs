//! Every block of C is counted once, whichever functions and languages allocate and free it.
//!
//! The tests do without libtest, whose main thread allocates while a test runs: all blocks of this
//! process are counted.

#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
mod on_glibc;

fn main() {
    #[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
    on_glibc::main();
}
