//! Options of `cargo tracemalloc test`: how to measure and judge, what to print, what goes to
//! cargo.

use clap::Args;

use crate::cli::cargo_options::CargoOptions;
use crate::cli::leaks::LeakArgs;
use crate::cli::report::ReportArgs;

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

    /// Where the report goes.
    #[command(flatten)]
    pub report: ReportArgs,

    /// What goes on to cargo.
    #[command(flatten)]
    pub cargo: CargoOptions,
}
