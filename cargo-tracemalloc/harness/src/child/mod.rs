//! The code that runs inside the process of a test or of a traced program.
//!
//! It may call `protocol` and the runtime. The command never calls it.

mod alarm;
mod baseline;
mod child_assignment;
mod command;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod doctest;
#[cfg(target_os = "linux")]
mod doctest_names;
mod domain;
mod entry_file;
pub mod entry_points;
mod entry_slots;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod exit_heap;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod exit_stack;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod exit_verdict;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod freed_memory;
mod heap;
mod holder_entry;
pub mod libtest;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod live_view;
mod memory_reserve;
#[cfg(target_os = "linux")]
mod name_connection;
#[cfg(target_os = "linux")]
mod name_provider;
mod nested_test;
mod null_output;
mod panic_backtraces;
mod process_limits;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub mod program;
mod rules;
mod run_clock;
mod seccomp;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod snapshots;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod started_program;
mod started_programs;
mod temporary_dir;
mod test;
mod test_binary;
mod test_process;
mod test_thread;
mod verdict_entry;
