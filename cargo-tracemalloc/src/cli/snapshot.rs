//! Options of `top`, `diff` and `show`: which blocks, how to group them, which format.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::cli::group_by::GroupBy;
use crate::cli::report::Format;
use crate::cli::values;

const AFTER_HELP: &str = "\
Exit codes:
    0  the result was printed
    2  bad usage
  103  a snapshot could not be read or printed

`cargo tracemalloc run` writes snapshots, and so does `Snapshot::dump` of the library `tracemalloc`. Source files are \
searched in the current directory, its package and its workspace.";

const AFTER_HELP_OF_TOP: &str = "\
With `--pid`, a running program of `cargo tracemalloc run` is watched. On a terminal, the view is renewed each second:
its keys stand in the last line. Otherwise, one page of text is printed, or with `--interval` one after the other, until
the program ends.

Exit codes:
    0  the result was printed, or the view was left
    2  bad usage
  103  a snapshot could not be read or printed, or the program could not be watched

`cargo tracemalloc run` writes snapshots, and so does `Snapshot::dump` of the library `tracemalloc`. Source files are \
searched in the current directory, its package and its workspace.";

/// Arguments of `top`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP_OF_TOP)]
pub struct TopArgs {
    /// The snapshot file
    #[arg(required_unless_present = "pid", conflicts_with = "pid")]
    pub snapshot: Option<PathBuf>,

    /// Watch the program with this process number, or the one that this command runs
    #[arg(long, value_name = "PID", help_heading = "View")]
    pub pid: Option<u32>,

    /// Print text on a terminal too
    #[arg(long, help_heading = "View")]
    pub batch: bool,

    /// Print a page of text at this interval: `1s`, `30s`
    #[arg(long, value_name = "DURATION", value_parser = values::duration, requires = "pid", help_heading = "View")]
    pub interval: Option<Duration>,

    /// Print so many pages, and then end
    #[arg(long, value_name = "N", value_parser = values::limit, requires = "interval", help_heading = "View")]
    pub pages: Option<usize>,

    /// The options of all three commands.
    #[command(flatten)]
    pub query: QueryArgs,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct DiffArgs {
    /// The older snapshot file
    pub old: PathBuf,

    /// The newer snapshot file
    pub new: PathBuf,

    /// The options of all three commands.
    #[command(flatten)]
    pub query: QueryArgs,
}

/// Arguments of `show`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP, mut_arg("by", |by| by.default_value("traceback")))]
pub struct ShowArgs {
    /// The snapshot file
    pub snapshot: PathBuf,

    /// The options of all three commands.
    #[command(flatten)]
    pub query: QueryArgs,
}

const AFTER_HELP_OF_HOLDERS: &str = "\
Exit codes:
    0  the result was printed
    2  bad usage
  103  the file could not be read or printed

Snapshots of `cargo tracemalloc run` tell the holders of the memory, and so does the file `snapshot-heap.json` of its end.";

/// Arguments of `holders`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP_OF_HOLDERS)]
pub struct HoldersArgs {
    /// A snapshot, to show which holders retain its memory
    #[arg(value_name = "SNAPSHOT")]
    pub file: Option<PathBuf>,

    /// Number of holders to show
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = values::limit, requires = "file")]
    pub limit: usize,

    /// Format of the output
    #[arg(long, value_name = "FORMAT", default_value = "text", requires = "file")]
    pub format: Format,
}

/// The options of all three commands.
#[derive(Debug, Args)]
pub struct QueryArgs {
    /// Group blocks by `filename`, `lineno` (file and line), `traceback` (all frames) or `domain`
    /// (language)
    #[arg(long, value_name = "KEY", default_value = "lineno", value_parser = GroupBy::parse)]
    pub by: GroupBy,

    /// Count a block for every frame of its traceback, not only the most recent one; not with `--by
    /// traceback`
    #[arg(long)]
    pub cumulative: bool,

    /// Number of groups to show
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = values::limit)]
    pub limit: usize,

    /// Format of the output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,

    /// The blocks that count.
    #[command(flatten)]
    pub filter: FilterArgs,
}

/// Options that choose blocks.
#[derive(Debug, Clone, Default, Args)]
pub struct FilterArgs {
    /// Only blocks allocated in matching files, such as `*/src/cache*` (repeatable)
    #[arg(long, value_name = "PATTERN", value_parser = values::pattern, help_heading = "Filters")]
    pub include: Vec<String>,

    /// No blocks allocated in matching files (repeatable)
    #[arg(long, value_name = "PATTERN", value_parser = values::pattern, help_heading = "Filters")]
    pub exclude: Vec<String>,

    /// Match patterns against all frames of a traceback, not only the most recent one
    #[arg(long, help_heading = "Filters")]
    pub all_frames: bool,

    /// Only blocks of this domain: `rust`, `c`, or the number that a program has given
    #[arg(long, value_name = "DOMAIN", value_parser = values::domain, help_heading = "Filters")]
    pub domain: Option<u32>,
}
