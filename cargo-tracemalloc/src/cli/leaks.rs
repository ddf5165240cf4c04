//! Options that say how to measure and how to judge. What is not given here is looked up in the
//! configuration.

use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::cli::values;

/// Where `--help` lists them.
const HEADING: &str = "Leak Options";

/// Options of every command that judges tests.
#[derive(Debug, Args)]
pub struct LeakArgs {
    /// What a test's growth may reach, a run: `512`, `4 KiB`, `1 MiB` [default: 0 B]
    #[arg(long, value_name = "SIZE", value_parser = values::size, help_heading = HEADING)]
    pub max_growth: Option<u64>,

    /// How many blocks a test may grow by, a run [default: without limit]
    #[arg(long, value_name = "N", help_heading = HEADING)]
    pub max_blocks: Option<u64>,

    /// How often a test that grows is run before it is called a leak [default: 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(values::RUNS), help_heading = HEADING)]
    pub runs: Option<u32>,

    /// How many frames of a traceback to keep [default: 16]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(values::FRAMES), help_heading = HEADING)]
    pub frames: Option<u32>,

    /// Count only blocks allocated in files that match, like `src/cache*` (repeatable)
    #[arg(long, value_name = "PATTERN", value_parser = values::pattern, help_heading = HEADING)]
    pub include: Vec<String>,

    /// Count no blocks allocated in files that match (repeatable; cargo's own `--exclude` is
    /// `--exclude-package`)
    #[arg(long, value_name = "PATTERN", value_parser = values::pattern, help_heading = HEADING)]
    pub exclude: Vec<String>,

    /// Let these verdicts fail too
    #[arg(long, value_name = "VERDICT", value_delimiter = ',', help_heading = HEADING)]
    pub deny: Vec<Deny>,

    /// Report leaks, and exit as if there were none
    #[arg(long, help_heading = HEADING)]
    pub no_fail: bool,

    /// Excuse no growth because of what holds it (`cargo tracemalloc holders` lists what would)
    #[arg(long, help_heading = HEADING)]
    pub no_known_holders: bool,

    /// End a test that takes longer: `30s`, `500ms`, `2m`, or seconds
    #[arg(long, value_name = "DURATION", value_parser = values::duration, help_heading = HEADING)]
    pub timeout: Option<Duration>,
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
