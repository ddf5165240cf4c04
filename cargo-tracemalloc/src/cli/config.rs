//! Options of `cargo tracemalloc config`.

use camino::Utf8PathBuf;
use clap::Args;

use crate::cli::leaks::LeakArgs;
use crate::cli::report::Format;

const AFTER_HELP: &str = "\
Exit codes:
    0  the options were printed
    2  bad usage, or a mistake in the configuration
  103  there is no workspace";

/// Arguments of `config`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct ConfigArgs {
    /// The options of a run.
    #[command(flatten)]
    pub leaks: LeakArgs,

    /// Format of the output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,

    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<Utf8PathBuf>,
}
