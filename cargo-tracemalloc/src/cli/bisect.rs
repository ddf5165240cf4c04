//! Options of `cargo tracemalloc bisect`.

use camino::Utf8PathBuf;
use clap::Args;

use crate::cli::values;
use crate::util::terminal::Color;

const AFTER_HELP: &str = "\
All other arguments are those of `cargo tracemalloc test`, such as a part of a test's name, \
`-p PACKAGE` or `--release`:

    cargo tracemalloc bisect --good v1.2.0 -p server cache::tests

The revisions are built in a clone in the directory for temporary files. Your files, branches and \
index stay as they are. A revision that does not build, or whose tests fail, is skipped.

Exit codes:
    0  the revision was found
    2  bad usage
  103  it was not found, or git failed";

/// Arguments of `bisect`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
#[command(override_usage = "cargo tracemalloc bisect --good REV [OPTIONS] [ARGUMENTS OF TEST]")]
pub struct BisectArgs {
    /// A revision that does not have the leak
    #[arg(long, value_name = "REV", required_unless_present = "step")]
    good: Option<String>,

    /// A revision that has the leak
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    pub bad: String,

    /// The id of the leak [default: the worst one that `--good` does not have]
    #[arg(long, value_name = "ID", value_parser = values::id)]
    pub id: Option<String>,

    /// Show the output of cargo and of the tests
    #[arg(short, long)]
    pub verbose: bool,

    /// Control when colored output is used
    #[arg(long, value_name = "WHEN")]
    pub color: Option<Color>,

    /// Judge one revision, for `git bisect run`
    #[arg(long, value_name = "PATH", hide = true)]
    pub step: Option<Utf8PathBuf>,

    /// Arguments of `cargo tracemalloc test`
    #[arg(value_name = "ARGUMENT", trailing_var_arg = true, allow_hyphen_values = true)]
    pub rest: Vec<String>,
}

impl BisectArgs {
    /// The revision that does not have the leak. Only a step has none.
    pub fn good(&self) -> &str {
        self.good.as_deref().unwrap_or_default()
    }
}
