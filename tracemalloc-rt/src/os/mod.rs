//! Memory from the system, and a lock.

pub mod fork;
pub mod memcheck;
pub mod memory;
pub mod pages;
pub mod spin_lock;
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub mod thread_id;
