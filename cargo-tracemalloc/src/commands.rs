//! One file a command.

pub mod diff;
pub mod holders;
pub mod show;
pub mod test;
pub mod top;
