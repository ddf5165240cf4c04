//! The runtimes that are injected into test binaries: their sources, their build, their cache.
//!
//! It calls `workspace` and `util`. It never runs tests.

mod allocator_symbols;
mod cache;
mod cargo_build;
mod manifest;
pub mod old_builds;
mod preparation;
mod runtime;
mod sources;

pub use allocator_symbols::AllocatorSymbols;
pub use old_builds::Age;
pub use preparation::ensure;
pub use runtime::{BuildOptions, Runtime, Runtimes};
