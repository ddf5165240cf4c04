//! One file a command.

pub mod diff;
pub mod run;
pub mod show;
pub mod test;
pub mod top;
