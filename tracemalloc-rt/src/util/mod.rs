//! Patterns and sorting.

pub mod fnmatch;
pub mod sort;
