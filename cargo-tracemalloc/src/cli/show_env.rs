//! Options of `cargo tracemalloc show-env`.

use camino::Utf8PathBuf;
use clap::Args;

use crate::cli::build_options::BuildOptions;
use crate::cli::cargo_options::CargoOptions;
use crate::cli::leaks::LeakArgs;

const AFTER_HELP: &str = "\
In a shell:          source <(cargo tracemalloc show-env --export-prefix)
In GitHub Actions:   cargo tracemalloc show-env >>\"$GITHUB_ENV\"

After that, a leak fails its test, and there is no report.

Exit codes:
    0  the variables were printed
    2  bad usage, or a mistake in the configuration
  103  the runtime could not be built, or there is no workspace";

/// Arguments of `show-env`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct ShowEnvArgs {
    /// How to measure and judge.
    #[command(flatten)]
    pub leaks: LeakArgs,

    /// Print `export NAME='value'`, for a shell, instead of `NAME=value`
    #[arg(long)]
    pub export_prefix: bool,

    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<Utf8PathBuf>,

    /// Directory for all generated artifacts; tracemalloc builds in `tracemalloc` inside it
    #[arg(long, value_name = "DIRECTORY")]
    pub target_dir: Option<Utf8PathBuf>,

    /// Target triple of the later builds (repeatable)
    #[arg(long, value_name = "TRIPLE")]
    pub target: Vec<String>,
}

impl ShowEnvArgs {
    /// The options of cargo among them.
    pub fn cargo_options(&self) -> CargoOptions {
        CargoOptions {
            build: BuildOptions {
                manifest_path: self.manifest_path.clone(),
                target_dir: self.target_dir.clone(),
                target: self.target.clone(),
                ..BuildOptions::default()
            },
            ..CargoOptions::default()
        }
    }
}
