//! The sources of this crate: the command carries them, and compiles them on the user's machine.

use include_dir::{Dir, include_dir};

/// The manifest. In a published package it is the one that cargo has rewritten.
pub const MANIFEST: &str = include_str!("../Cargo.toml");
/// The directory `src`.
pub static SRC: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/src");
