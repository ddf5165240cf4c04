//! The command line, as declared. `workspace` and `config` resolve it.

mod baseline;
mod bisect;
mod build_options;
mod cargo_options;
mod clean;
mod completions;
mod config;
mod deny;
mod export;
mod group_by;
mod leaks;
mod man;
mod merge;
mod nextest;
mod option_of_tests;
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
use clap::{Arg, CommandFactory as _, Parser, Subcommand};

pub use baseline::BaselineArgs;
pub use bisect::BisectArgs;
pub use cargo_options::CargoOptions;
pub use clean::CleanArgs;
pub use completions::CompletionsArgs;
pub use config::ConfigArgs;
pub use deny::Deny;
pub use export::{ExportArgs, ExportFormat, FlamegraphArgs, Unit};
pub use group_by::GroupBy;
pub use leaks::LeakArgs;
pub use man::ManArgs;
pub use merge::MergeArgs;
pub use nextest::NextestArgs;
pub use report::{Format, ReportArgs, ReportFormat};
pub use run::RunArgs;
pub use show_env::ShowEnvArgs;
pub use snapshot::{DiffArgs, FilterArgs, HoldersArgs, QueryArgs, ShowArgs, TopArgs};
pub use test::TestArgs;

/// The subcommand's name. Cargo passes it as the first argument: `cargo-tracemalloc tracemalloc
/// test`.
const SUBCOMMAND: &str = "tracemalloc";

/// The colours of cargo's own `--help`.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::BrightGreen.on_default().bold())
    .usage(AnsiColor::BrightGreen.on_default().bold())
    .literal(AnsiColor::BrightCyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

#[derive(Debug, Parser)]
#[command(name = "cargo tracemalloc", bin_name = "cargo tracemalloc", version, styles = STYLES, max_term_width = 100)]
#[command(
    about = "Check Rust tests for memory leaks, and show the lines that allocated the memory",
    after_help = "`cargo tracemalloc test` checks the workspace of the current directory."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the tests of a workspace, and report the tests that leak
    Test(Box<TestArgs>),
    /// Run the tests of a workspace with cargo-nextest, and report the tests that leak
    Nextest(NextestArgs),
    /// Read, merge and compare the reports of runs
    Report(MergeArgs),
    /// Find the revision at which a leak appeared, with `git bisect`
    Bisect(BisectArgs),
    /// Print environment variables that make `cargo test` and `cargo nextest run` trace
    #[command(mut_args(without_changes_of_the_baseline))]
    ShowEnv(ShowEnvArgs),
    /// Show the options in effect, and where each value comes from
    #[command(mut_args(without_changes_of_the_baseline))]
    Config(ConfigArgs),
    /// Run a program, and show which lines allocated the memory that is live at its end
    Run(Box<RunArgs>),
    /// Show the lines of code that allocated the most memory of a snapshot
    Top(TopArgs),
    /// Show the differences between two snapshots
    Diff(DiffArgs),
    /// Show the tracebacks that allocated the most memory of a snapshot
    Show(ShowArgs),
    /// Draw the memory of a snapshot or the leaks of a report as a flame graph
    Flamegraph(FlamegraphArgs),
    /// Write a snapshot or a report in the format of another tool
    Export(ExportArgs),
    /// Show the holders of a snapshot's memory, or list the known holders, whose growth is no leak
    Holders(HoldersArgs),
    /// Remove the builds of this workspace's tests, and runtimes that are not used any more
    Clean(CleanArgs),
    /// Print a script that completes commands and options in a shell
    Completions(CompletionsArgs),
    /// Write the manual pages into a directory
    #[command(hide = true)]
    Man(ManArgs),
}

/// Hides the options that change the baseline, for commands that refuse them.
fn without_changes_of_the_baseline(option: Arg) -> Arg {
    let is_hidden = matches!(option.get_id().as_str(), "write_baseline" | "prune_baseline");
    option.hide(is_hidden)
}

/// Parses the arguments of this process. Prints help or a usage error and exits, if needed.
pub fn parse() -> Command {
    let args = nextest::sorted(without_subcommand(env::args_os()));
    match Cli::try_parse_from(&args) {
        Ok(cli) => cli.command,
        Err(error) => option_of_tests::explained(error, &args, command()).exit(),
    }
}

/// The declaration, for completions and manual pages.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Removes the subcommand's name, which cargo inserts.
fn without_subcommand(args: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    args.enumerate().filter(|(index, arg)| *index != 1 || arg != SUBCOMMAND).map(|(_, arg)| arg)
}
