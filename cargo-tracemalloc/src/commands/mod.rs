//! One file a command.

pub mod config;
pub mod diff;
pub mod holders;
pub mod nextest;
pub mod run;
pub mod show;
pub mod show_env;
pub mod test;
pub mod top;
