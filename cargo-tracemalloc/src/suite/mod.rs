//! One run of a workspace's tests under tracing, and the cargo calls for it.
//!
//! It calls all rooms below. Only `commands` calls it.

pub mod cargo;
mod test_suite;

pub use test_suite::{Ran, Suite};
