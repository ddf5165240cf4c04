//! The sources of this crate and of the runtime: the command carries them, and compiles them on the
//! user's machine.

use include_dir::{Dir, include_dir};

pub use tracemalloc::sources as runtime;

/// The manifest. In a published package it is the one that cargo has rewritten.
pub const MANIFEST: &str = include_str!("../Cargo.toml");
/// The directory `src`.
pub static SRC: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/src");
/// The oldest Rust that compiles them, on Linux. Elsewhere, dependencies need more.
pub const RUST_VERSION: &str = env!("CARGO_PKG_RUST_VERSION");
