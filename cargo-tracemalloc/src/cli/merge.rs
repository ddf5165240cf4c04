//! Options of `cargo tracemalloc report`.

use camino::Utf8PathBuf;
use clap::Args;

use crate::cli::report::ReportArgs;
use crate::util::terminal::Color;

const AFTER_HELP: &str = "\
Several files, such as those of shards, are merged: leaks of one id are one leak. If several files
have the same test, the worst entry counts.

Exit codes:
    0  every test passed, and none leaks; with `--against`, no leak is new or has grown
    2  bad usage
  101  a test failed
  102  every test passed, and some leak; with `--against`, a leak is new or has grown
  103  a file could not be read, or is no report of this version's schema";

/// Arguments of `report`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct MergeArgs {
    /// Report files, such as `target/tracemalloc/report.json`
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<Utf8PathBuf>,

    /// Compare with this earlier report: only new and grown leaks are shown and fail
    #[arg(long, value_name = "FILE")]
    pub against: Option<Utf8PathBuf>,

    /// The files are attempts of one run, the oldest first: the last entry of a test counts
    #[arg(long)]
    pub attempts: bool,

    /// Report leaks, but exit as if there were none
    #[arg(long)]
    pub no_fail: bool,

    /// Show all leaks, frames and tests
    #[arg(short, long)]
    pub verbose: bool,

    /// Control when colored output is used
    #[arg(long, value_name = "WHEN")]
    pub color: Option<Color>,

    /// The report.
    #[command(flatten)]
    pub report: ReportArgs,
}
