//! The common part of the end-to-end tests: copies of fixtures, calls of the command and of cargo,
//! and their results. Expectations are in the tests.

#![allow(dead_code, unused_imports, clippy::allow_attributes, reason = "no test uses all of it")]

mod call;
mod listing;
pub mod process;
mod project;
mod report;
mod terminal;

pub use call::{Call, Output};
pub use listing::{Listing, Status};
pub use project::{Project, files, write_below};
pub use report::{Leak, Report, Target};
pub use terminal::Terminal;

/// Exit codes that the tests expect; the command's documentation is the other place that says them.
pub mod exit {
    /// Every test passed, and none leaks.
    pub const CLEAN: i32 = 0;
    /// Bad usage.
    pub const USAGE: i32 = 2;
    /// A test failed.
    pub const TEST_FAILED: i32 = 101;
    /// Every test passed, and some leak.
    pub const LEAK: i32 = 102;
    /// Could not build or run.
    pub const COULD_NOT_RUN: i32 = 103;
}
