//! Options for the baseline: the file of the leaks that a project accepts.

use camino::Utf8PathBuf;
use clap::Args;

use crate::util::exit_code::UsageError;

/// Their heading in `--help`.
const HEADING: &str = "Baseline Options";

/// Options that name, write and prune the baseline.
#[derive(Debug, Default, Args)]
pub struct BaselineArgs {
    /// Fail only on leaks that this file does not list, or that grow by more than it allows
    /// [default: tracemalloc-baseline.toml beside the workspace's Cargo.toml, if it exists]
    #[arg(long, value_name = "PATH", value_parser = toml_path, help_heading = HEADING)]
    pub baseline: Option<Utf8PathBuf>,

    /// Accept all leaks of this run: write them to the baseline, and keep its reasons
    #[arg(long, value_name = "PATH", num_args = 0..=1, value_parser = toml_path, help_heading = HEADING)]
    #[arg(conflicts_with = "baseline")]
    pub write_baseline: Option<Option<Utf8PathBuf>>,

    /// Remove the leaks from the baseline that no longer occur
    #[arg(long, conflicts_with = "write_baseline", help_heading = HEADING)]
    pub prune_baseline: bool,
}

impl BaselineArgs {
    /// Fails if the baseline is to be changed, in a command that runs no tests.
    pub fn only_read(&self) -> Result<(), UsageError> {
        if self.write_baseline.is_none() && !self.prune_baseline {
            return Ok(());
        }
        let error = "`--write-baseline` and `--prune-baseline` need a run that ends with a report; \
                     use them with `cargo tracemalloc test`";
        Err(UsageError(error.to_owned()))
    }
}

/// Parses the path of a TOML file. A test's name behind `--write-baseline` is no path.
fn toml_path(text: &str) -> Result<Utf8PathBuf, String> {
    let path = Utf8PathBuf::from(text);
    if path.extension() == Some("toml") {
        return Ok(path);
    }
    Err("expected a path that ends in `.toml`; the name of a test goes before the option"
        .to_owned())
}
