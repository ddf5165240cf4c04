//! The list of a test binary's tests, for the command that runs them.

use tracemalloc::internal::{WireValue, wire};

use crate::protocol::wire::Exchanged;

/// Names the file with the [`TestList`], and makes `cargo-tracemalloc` the front of a test binary.
pub const FRONT_VAR: &str = "TRACEMALLOC_FRONT";
/// Holds the absolute path of the test binary, for the front. The environment is the user's, while
/// a file may be another's.
pub const TEST_BINARY_VAR: &str = "TRACEMALLOC_TEST_BINARY";
/// The file with the [`TestList`] among a binary's fragments.
pub const LIST_FILE: &str = "tests";

/// The tests of one binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestList {
    /// Whether its allocator is a tracing one.
    pub installed: bool,
    /// Why C's blocks are not traced in it; `None` if they are.
    pub c_untraced: Option<String>,
    /// The tests, sorted by name.
    pub tests: Vec<ListedTest>,
}

wire!(struct TestList { installed, c_untraced, tests });

impl Exchanged for TestList {
    const NAME: &'static str = "TestList";
}

/// One test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedTest {
    /// The test's path inside its target.
    pub name: String,
    /// Whether it is `#[ignore]`d.
    pub ignored: bool,
    /// The reason of the `#[ignore]`.
    pub ignore_message: Option<String>,
    /// Whether it is `#[should_panic]`.
    pub should_panic: bool,
    /// Whether it is a `#[bench]`.
    pub is_bench: bool,
}

wire!(struct ListedTest { name, ignored, ignore_message, should_panic, is_bench });
