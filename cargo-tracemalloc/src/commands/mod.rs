//! The subcommands, one file each. `main` calls them; they call all rooms.

pub mod bisect;
pub mod clean;
pub mod completions;
pub mod config;
pub mod diff;
pub mod export;
pub mod flamegraph;
pub mod holders;
pub mod man;
pub mod nextest;
pub mod report;
pub mod run;
pub mod show;
pub mod show_env;
pub mod test;
pub mod top;
