//! The command line, as declared. What follows from it is in [`context`](crate::workspace::Context).

mod cargo_options;
mod config;
mod leaks;
mod nextest;
mod report;
mod run;
mod show_env;
mod snapshot;
mod test;
#[cfg(test)]
mod tests;
pub mod values;

use std::env;
use std::ffi::OsString;

use clap::builder::Styles;
use clap::builder::styling::AnsiColor;
use clap::{Parser, Subcommand};

pub use cargo_options::CargoOptions;
pub use config::ConfigArgs;
pub use leaks::{Deny, LeakArgs};
pub use nextest::NextestArgs;
pub use report::{Format, ReportArgs};
pub use run::RunArgs;
pub use show_env::ShowEnvArgs;
pub use snapshot::{DiffArgs, QueryArgs, ShowArgs, TopArgs};
pub use test::TestArgs;

/// The name under which cargo calls us, and passes as first argument: `cargo-tracemalloc
/// tracemalloc test`.
const SUBCOMMAND: &str = "tracemalloc";

/// Cargo's colours of `--help`.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::BrightGreen.on_default().bold())
    .usage(AnsiColor::BrightGreen.on_default().bold())
    .literal(AnsiColor::BrightCyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

#[derive(Debug, Parser)]
#[command(name = "cargo tracemalloc", bin_name = "cargo tracemalloc", version, styles = STYLES, max_term_width = 100)]
#[command(
    about = "Leak verdicts for every test of any Rust workspace, with the line that allocated"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// What there is to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a workspace's tests, and say of each whether it leaks
    Test(Box<TestArgs>),
    /// Run a workspace's tests with cargo-nextest, and say of each whether it leaks
    Nextest(NextestArgs),
    /// Print the environment that makes `cargo test` and `cargo nextest run` trace
    ShowEnv(ShowEnvArgs),
    /// Show which options hold, and where each of them is from
    Config(ConfigArgs),
    /// Run a program, and show which lines allocated the most of what is live at its end
    Run(Box<RunArgs>),
    /// Show which lines allocated the most of what was live in a snapshot
    Top(TopArgs),
    /// Show what has changed from one snapshot to another
    Diff(DiffArgs),
    /// Show the tracebacks that allocated the most of what was live in a snapshot
    Show(ShowArgs),
    /// List the statics and threads whose growth is no leak, each with the reason
    Holders,
}

/// Parses this process's arguments; prints help or a usage error and exits where they ask for that.
pub fn parse() -> Command {
    Cli::parse_from(nextest::sorted(without_subcommand(env::args_os()))).command
}

/// Drops the word that cargo puts in when it runs us.
fn without_subcommand(args: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    args.enumerate().filter(|(index, arg)| *index != 1 || arg != SUBCOMMAND).map(|(_, arg)| arg)
}
