//! What the wrapper knows of a test binary and the binary does not: a file beside it.

use nanoserde::{DeBin, SerBin};

use crate::protocol::wire::Exchanged;

/// The note of `deps/demo-0123456789abcdef` is `deps/demo-0123456789abcdef.tracemalloc`.
pub const NOTE_EXTENSION: &str = "tracemalloc";

/// Which target a test binary was built from, and whether it is traced.
#[derive(Debug, Clone, PartialEq, Eq, SerBin, DeBin)]
pub struct TargetNote {
    /// The package's name.
    pub package: String,
    /// The package's version, which tells apart two packages of one name.
    pub version: String,
    /// The crate's name as rustc was given it: `-` is `_`.
    pub crate_name: String,
    /// The target's root source file, absolute.
    pub src_path: String,
    /// The test binary, absolute. The wrapper leaves it empty: binaries are moved.
    pub executable: String,
    /// Why the target runs untraced; `None` where it is traced.
    pub untraced: Option<String>,
    /// The command that built the test binary, absolute.
    pub command: String,
}

impl Exchanged for TargetNote {
    const NAME: &'static str = "TargetNote";
}
