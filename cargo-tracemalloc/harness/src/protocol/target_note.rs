//! The wrapper's note about a test binary or a program, in a file beside it.

use tracemalloc::internal::{WireValue, wire};

use crate::protocol::doctest_note::DoctestNote;
use crate::protocol::wire::Exchanged;

/// The note of `deps/demo-0123456789abcdef` is `deps/demo-0123456789abcdef.tracemalloc`.
pub const NOTE_EXTENSION: &str = "tracemalloc";

/// The target that a test binary was built from, and whether it is traced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetNote {
    /// The package's name.
    pub package: String,
    /// The package's version. Two packages may have one name.
    pub version: String,
    /// The crate's name as rustc got it, with `_` for `-`.
    pub crate_name: String,
    /// Whether it is a program, and no test.
    pub is_program: bool,
    /// The absolute path of the target's root source file.
    pub src_path: String,
    /// The absolute path of the test binary. The wrapper leaves it empty, because binaries are
    /// moved.
    pub executable: String,
    /// Why the target runs untraced; `None` if it is traced.
    pub untraced: Option<String>,
    /// Whether rustc optimised the target, or may have.
    pub is_optimised: bool,
    /// Why C's blocks are not traced, while Rust's are. Only the binary knows.
    pub c_untraced: Option<String>,
    /// The absolute path of the command that built the test binary.
    pub command: String,
    /// The doctests in the binary. `None` if rustdoc did not build it.
    pub doctests: Option<DoctestNote>,
}

wire!(struct TargetNote {
    package, version, crate_name, is_program, src_path, executable, untraced, is_optimised,
    c_untraced, command, doctests,
});

impl Exchanged for TargetNote {
    const NAME: &'static str = "TargetNote";
}
