//! Options of the hidden `cargo tracemalloc man`.

use camino::Utf8PathBuf;
use clap::Args;

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The directory for the pages, such as `~/.local/share/man/man1`
    #[arg(value_name = "DIRECTORY")]
    pub directory: Utf8PathBuf,
}
