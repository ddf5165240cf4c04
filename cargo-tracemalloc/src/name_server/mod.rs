//! Answers name requests of traced processes: frames at addresses, statics, functions of threads.
//!
//! It calls `util` alone.

#[cfg(target_os = "linux")]
pub mod files;
#[cfg_attr(not(target_os = "linux"), path = "no_socket.rs")]
mod socket;

pub use socket::NameSocket;
