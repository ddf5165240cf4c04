//! The names of private directories for temporary files.
//!
//! A private directory is created by its owner under a random name, and only the owner can enter
//! it. A process never accepts one that it finds. The owner holds a lock on a file inside, so that
//! the next run can remove the directories of killed processes.

/// The beginning of the directories' names. It is short, because the paths of sockets must be
/// short.
pub const PREFIX: &str = "tm-";
/// The file that is locked while the directory is in use.
pub const LOCK_FILE: &str = "tracemalloc.lock";
