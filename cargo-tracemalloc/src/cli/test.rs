//! Options of `cargo tracemalloc test`: how to measure, how to judge, what to print.

use std::time::Duration;

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::cargo_options::CargoOptions;
use super::values;

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
    /// What a test's growth may reach, a run: `512`, `4 KiB`, `1 MiB`
    #[arg(long, value_name = "SIZE", default_value = "0 B", value_parser = values::size, help_heading = "Leak Options")]
    pub max_growth: u64,

    /// How many blocks a test may grow by, a run [default: without limit]
    #[arg(long, value_name = "N", help_heading = "Leak Options")]
    pub max_blocks: Option<u64>,

    /// How often a test that grows is run before it is called a leak
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(3..), help_heading = "Leak Options")]
    pub runs: u32,

    /// How many frames of a traceback to keep
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=128), help_heading = "Leak Options")]
    pub frames: u32,

    /// Count only blocks allocated in files that match, like `src/cache*` (repeatable)
    #[arg(long, value_name = "PATTERN", value_parser = values::pattern, help_heading = "Leak Options")]
    pub include: Vec<String>,

    /// Count no blocks allocated in files that match (repeatable; cargo's own `--exclude` is `--exclude-package`)
    #[arg(long, value_name = "PATTERN", value_parser = values::pattern, help_heading = "Leak Options")]
    pub exclude: Vec<String>,

    /// Let these verdicts fail too
    #[arg(long, value_name = "VERDICT", value_delimiter = ',', help_heading = "Leak Options")]
    pub deny: Vec<Deny>,

    /// Report leaks, and exit as if there were none
    #[arg(long, help_heading = "Leak Options")]
    pub no_fail: bool,

    /// Excuse no growth because of what holds it (`cargo tracemalloc holders` lists what would)
    #[arg(long, help_heading = "Leak Options")]
    pub no_known_holders: bool,

    /// End a test that takes longer: `30s`, `500ms`, `2m`, or seconds
    #[arg(long, value_name = "DURATION", value_parser = values::duration, help_heading = "Leak Options")]
    pub timeout: Option<Duration>,

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

/// Verdicts that only fail on request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Deny {
    /// Grew, and not in every run
    Once,
    /// Grew, and could not run again
    Unconfirmed,
}

/// Renderings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}
