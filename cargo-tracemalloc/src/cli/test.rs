//! Options of `cargo tracemalloc test`: for measuring, judging, the report, and cargo.

use clap::Args;

use crate::cli::cargo_options::CargoOptions;
use crate::cli::leaks::LeakArgs;
use crate::cli::report::ReportArgs;

const AFTER_HELP: &str = "\
Exit codes:
    0  every test passed, and none leaks
    2  bad usage
  101  a test failed
  102  every test passed, and some leak
  103  the tests could not be built or run

Arguments after `--` go to the test harness, like with `cargo test`.";

/// Arguments of `test`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct TestArgs {
    /// How to measure and judge.
    #[command(flatten)]
    pub leaks: LeakArgs,

    /// The report.
    #[command(flatten)]
    pub report: ReportArgs,

    /// The options of cargo.
    #[command(flatten)]
    pub cargo: CargoOptions,
}
