//! Options of `flamegraph` and `export`: the file to read, the file to write, the format.

use std::path::PathBuf;

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

use crate::cli::snapshot::FilterArgs;

const AFTER_HELP: &str = "\
Exit codes:
    0  the file was written
    2  bad usage
  103  a file could not be read or written

A snapshot gives the memory that was live, a report the memory that leaks in one run of a test.";

/// Arguments of `flamegraph`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct FlamegraphArgs {
    /// A snapshot or a report
    pub file: PathBuf,

    /// Colour frames by their change since this older file: red grew, blue shrank
    #[arg(long, value_name = "OLD")]
    pub against: Option<PathBuf>,

    /// The SVG file to write; `-` is stdout
    #[arg(long, short, value_name = "PATH", default_value = "flamegraph.svg")]
    pub output: Utf8PathBuf,

    /// The width of frames
    #[arg(long, value_name = "UNIT", default_value = "bytes")]
    pub unit: Unit,

    /// The blocks that count.
    #[command(flatten)]
    pub filter: FilterArgs,
}

/// Arguments of `export`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct ExportArgs {
    /// A snapshot or a report
    pub file: PathBuf,

    /// The format to write
    #[arg(long, value_name = "FORMAT")]
    pub format: ExportFormat,

    /// The file to write; `-` is stdout
    #[arg(long, short, value_name = "PATH", default_value = "-")]
    pub output: Utf8PathBuf,

    /// The blocks that count.
    #[command(flatten)]
    pub filter: FilterArgs,
}

/// Formats of profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// Folded stacks: a line for each stack with its bytes
    Folded,
    /// pprof's protocol buffer, compressed by gzip, for `go tool pprof`
    Pprof,
    /// JSON for speedscope.app
    Speedscope,
    /// JSON for profiler.firefox.com
    Firefox,
}

/// Units of a stack's weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Unit {
    /// Bytes of the blocks
    Bytes,
    /// The number of blocks
    Blocks,
}
