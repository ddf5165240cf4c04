//! One file a command.

pub mod config;
pub mod diff;
pub mod show;
pub mod test;
pub mod top;
