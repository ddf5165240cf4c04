//! Kinds of targets.

use serde::{Deserialize, Serialize};

/// The kinds of targets, in the order of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Hash, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A library of any crate type.
    Lib,
    /// A binary.
    Bin,
    /// An integration test.
    Test,
    /// An example.
    Example,
    /// A benchmark.
    Bench,
    /// The doctests of a library.
    Doctest,
    /// A program that tests have started.
    Program,
}
