//! Options of `cargo tracemalloc test`: how to measure and judge, what to print, what goes to cargo.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

use super::cargo_options::CargoOptions;
use super::leaks::LeakArgs;

const AFTER_HELP: &str = "\
Exit codes:
    0  every test passed, none leaked
    2  bad usage
  101  a test failed
  102  every test passed, and some leak
  103  could not build or run

Arguments after `--` go to the test harness, as with `cargo test`.";

/// Arguments of `test`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct TestArgs {
    /// How to measure and judge.
    #[command(flatten)]
    pub leaks: LeakArgs,

    /// Write the JSON report here too
    #[arg(long, value_name = "PATH", help_heading = "Report Options")]
    pub report: Option<Utf8PathBuf>,

    /// What to print; `json` leaves nothing but the report on stdout
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Report Options")]
    pub format: Format,

    /// What goes on to cargo.
    #[command(flatten)]
    pub cargo: CargoOptions,
}

/// Renderings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}
