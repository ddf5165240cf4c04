//! Patterns and sorting, on plain values.
//!
//! It calls no other room, and any room may call it. The hot path does not: sorting allocates.

pub mod fnmatch;
pub mod sort;
