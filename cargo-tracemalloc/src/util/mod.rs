//! Helpers without knowledge of tests or leaks: processes, files, the terminal, exit codes.
//!
//! They call no other room of this crate.

pub mod exit_code;
pub mod file;
pub mod interrupt;
pub mod private_env;
pub mod process;
pub mod terminal;
