//! What a test binary tells the command that runs its tests: which there are.

use nanoserde::{DeBin, SerBin};

use crate::protocol::wire::Exchanged;

/// Names the file with the [`TestList`], and makes `cargo-tracemalloc` the front of a test binary.
pub const FRONT_VAR: &str = "TRACEMALLOC_FRONT";
/// The file with the [`TestList`] among a binary's fragments.
pub const LIST_FILE: &str = "tests";

/// The tests of one binary.
#[derive(Debug, Clone, PartialEq, Eq, SerBin, DeBin)]
pub struct TestList {
    /// The binary, absolute.
    pub executable: String,
    /// Whether its allocator is a tracing one.
    pub installed: bool,
    /// By name.
    pub tests: Vec<ListedTest>,
}

impl Exchanged for TestList {
    const NAME: &'static str = "TestList";
}

/// One test.
#[derive(Debug, Clone, PartialEq, Eq, SerBin, DeBin)]
pub struct ListedTest {
    /// Its path inside its target.
    pub name: String,
    /// Whether it is `#[ignore]`d.
    pub ignored: bool,
    /// Why, where that is said.
    pub ignore_message: Option<String>,
    /// Whether it is `#[should_panic]`.
    pub should_panic: bool,
    /// Whether it is a `#[bench]`.
    pub is_bench: bool,
}
