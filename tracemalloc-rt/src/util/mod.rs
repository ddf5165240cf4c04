//! Patterns, sorting and small functions, on plain values.
//!
//! It calls no other room, and any room may call it. The hot path does not: sorting allocates.

pub mod fnmatch;
#[cfg(test)]
pub mod numbers;
pub mod panic_message;
pub mod sample_probability;
pub mod sort;
#[cfg(feature = "_wire")]
pub mod wire;
