//! Memory from the system, and a lock.

pub mod memory;
pub mod pages;
pub mod spin_lock;
