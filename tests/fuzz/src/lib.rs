//! Fuzz targets for all that other processes, files and people write.
//!
//! Each target has a function `check`, which panics at a fault, and seeds. `inputs` makes inputs of
//! the seeds without libFuzzer.

#![cfg(unix)]

#[expect(dead_code, unused_imports, reason = "the room has more than the target needs")]
#[path = "../../../cargo-tracemalloc/src/cli/mod.rs"]
mod cli;
#[expect(dead_code, unused_imports, reason = "the room has more than the target needs")]
#[path = "../../../cargo-tracemalloc/src/config/mod.rs"]
mod config;
pub mod configuration;
pub mod fnmatch;
pub mod fragment;
pub mod inputs;
mod message;
mod scratch;
pub mod size;
pub mod snapshot;
mod util;
pub mod wire;

/// One target.
#[derive(Debug)]
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Panics if the code has a fault with this input.
    pub check: fn(&[u8]),
    /// Inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All targets.
pub const TARGETS: [Target; 6] = [
    Target { name: "configuration", check: configuration::check, seeds: configuration::seeds },
    Target { name: "fnmatch", check: fnmatch::check, seeds: fnmatch::seeds },
    Target { name: "fragment", check: fragment::check, seeds: fragment::seeds },
    Target { name: "size", check: size::check, seeds: size::seeds },
    Target { name: "snapshot", check: snapshot::check, seeds: snapshot::seeds },
    Target { name: "wire", check: wire::check, seeds: wire::seeds },
];
