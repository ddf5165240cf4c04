//! Helpers that know nothing of tests or leaks: processes, files, the terminal, exit codes.
//!
//! It calls no other room.

#[cfg(unix)]
pub mod descendants;
pub mod exit_code;
pub mod file;
pub mod file_kind;
pub mod interrupt;
pub mod nearest_name;
#[cfg(unix)]
pub mod passed_signals;
pub mod private_dir;
pub mod private_env;
pub mod process;
#[cfg(unix)]
pub mod signals;
pub mod terminal;
