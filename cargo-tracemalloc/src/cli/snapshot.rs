//! Options of the commands over dumped snapshots: which blocks, how they are put together, what to
//! print.

use std::path::PathBuf;

use clap::Args;
use tracemalloc::KeyType;

use crate::cli::report::Format;
use crate::cli::values;

const AFTER_HELP: &str = "\
Exit codes:
    0  printed
    2  bad usage
  103  a snapshot could not be read, or not be printed

A snapshot is a file that `Snapshot::dump` of the library `tracemalloc` has written. Source lines are looked up from the \
current directory and from the package and the workspace around it.";

/// Arguments of `top`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct TopArgs {
    /// The snapshot
    pub snapshot: PathBuf,

    /// How to see it.
    #[command(flatten)]
    pub query: QueryArgs,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct DiffArgs {
    /// The snapshot to compare with
    pub old: PathBuf,

    /// The snapshot to compare
    pub new: PathBuf,

    /// How to see them.
    #[command(flatten)]
    pub query: QueryArgs,
}

/// Arguments of `show`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP, mut_arg("by", |by| by.default_value("traceback")))]
pub struct ShowArgs {
    /// The snapshot
    pub snapshot: PathBuf,

    /// How to see it.
    #[command(flatten)]
    pub query: QueryArgs,
}

/// What the three have in common.
#[derive(Debug, Args)]
pub struct QueryArgs {
    /// Put blocks together by `filename`, `lineno` (file and line) or `traceback` (all frames)
    #[arg(long, value_name = "KEY", default_value = "lineno", value_parser = values::key_type)]
    pub by: KeyType,

    /// Count a block for every frame of its traceback, not for the most recent one alone; not for
    /// `--by traceback`
    #[arg(long)]
    pub cumulative: bool,

    /// How many groups to show
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub limit: usize,

    /// What to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,

    /// Only blocks allocated in files that match, like `*/src/cache*` (repeatable)
    #[arg(long, value_name = "PATTERN", value_parser = values::pattern, help_heading = "Filters")]
    pub include: Vec<String>,

    /// No blocks allocated in files that match (repeatable)
    #[arg(long, value_name = "PATTERN", value_parser = values::pattern, help_heading = "Filters")]
    pub exclude: Vec<String>,

    /// Match patterns against every frame of a traceback, not against the most recent one alone
    #[arg(long, help_heading = "Filters")]
    pub all_frames: bool,

    /// Only blocks of this domain; 0 is what the global allocator hands out
    #[arg(long, value_name = "N", help_heading = "Filters")]
    pub domain: Option<u32>,
}
