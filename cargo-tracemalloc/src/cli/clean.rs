//! Options of `cargo tracemalloc clean`.

use camino::Utf8PathBuf;
use clap::Args;

const AFTER_HELP: &str = "\
A runtime that no command used for 30 days is also removed when another one is built. The next \
`cargo tracemalloc test` builds what it needs again.

Exit codes:
    0  everything was removed
    2  bad usage
  103  there is no workspace, or files could not be removed";

/// Arguments of `clean`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct CleanArgs {
    /// Remove all runtimes of the cache, not only those that no command used for 30 days
    #[arg(long)]
    pub all_runtimes: bool,

    /// Print what would be removed, and remove nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,

    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<Utf8PathBuf>,

    /// Directory for all generated artifacts; `tracemalloc` inside it is removed
    #[arg(long, value_name = "DIRECTORY")]
    pub target_dir: Option<Utf8PathBuf>,
}
