//! The system: memory that bypasses the allocator, locks, `fork`, and facts about the process.
//!
//! It calls no other room, and any room may call it. Nothing here uses the global allocator, except
//! in tests.

pub mod fork;
pub mod mapping;
pub mod memcheck;
pub mod memory;
pub mod page_map;
#[cfg(target_os = "linux")]
pub mod proc_dir;
pub mod run_delay;
pub mod spare_memory;
pub mod spin_lock;
pub mod thread_id;
