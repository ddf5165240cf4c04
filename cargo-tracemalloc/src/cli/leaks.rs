//! Options for measuring and judging. The configuration file provides the values that are missing
//! here.

use std::time::Duration;

use clap::Args;
use tracemalloc::{Domain, Limits};

use crate::cli::baseline::BaselineArgs;
use crate::cli::deny::Deny;
use crate::cli::values;

/// Their heading in `--help`.
const HEADING: &str = "Leak Options";

/// Options of every command that judges tests.
#[derive(Debug, Args)]
pub struct LeakArgs {
    /// Maximum growth per run of a test: `512`, `4 KiB`, `1 MiB` [default: 0 B]
    #[arg(long, value_name = "SIZE", value_parser = values::size, help_heading = HEADING)]
    pub max_growth: Option<u64>,

    /// Maximum number of blocks that a test may grow by per run [default: no limit]
    #[arg(long, value_name = "N", value_parser = values::blocks, help_heading = HEADING)]
    pub max_blocks: Option<u64>,

    /// Maximum number of runs of a test that grows [default: 8 to 1000, as time allows]
    #[arg(long, value_name = "N", value_parser = values::runs, help_heading = HEADING)]
    pub runs: Option<u32>,

    /// Number of frames that a traceback keeps [default: 16]
    #[arg(long, value_name = "N", value_parser = values::frames, help_heading = HEADING)]
    pub frames: Option<u32>,

    /// Count only blocks allocated in matching files, such as `src/cache*` (repeatable)
    #[arg(long, value_name = "PATTERN", value_parser = values::pattern, help_heading = HEADING)]
    pub include: Vec<String>,

    /// Ignore blocks allocated in matching files (repeatable; cargo's own `--exclude` is
    /// `--exclude-package`)
    #[arg(long, value_name = "PATTERN", value_parser = values::pattern, help_heading = HEADING)]
    pub exclude: Vec<String>,

    /// Count only blocks that this language allocates: `rust`, `c` or `all` [default: all]
    #[arg(long, value_name = "LANGUAGE", value_parser = values::language, help_heading = HEADING)]
    pub domain: Option<Domain>,

    /// Fail on these, too
    #[arg(long, value_name = "VERDICT", value_delimiter = ',', help_heading = HEADING)]
    pub deny: Vec<Deny>,

    /// Report leaks, but exit as if there were none
    #[arg(long, help_heading = HEADING)]
    pub no_fail: bool,

    /// Ignore the built-in list of known holders (`cargo tracemalloc holders` prints it)
    #[arg(long, help_heading = HEADING)]
    pub no_known_holders: bool,

    /// Time limit of a test: a longer first run fails, and no rerun starts later: `30s`, `500ms`,
    /// `2m`, or seconds
    #[arg(long, value_name = "DURATION", value_parser = values::duration, help_heading = HEADING)]
    pub timeout: Option<Duration>,

    /// Also check the programs of the workspace that tests start: what they have lost at their end
    /// is a leak
    #[arg(long, help_heading = HEADING)]
    pub programs: bool,

    /// The baseline.
    #[command(flatten)]
    pub baseline: BaselineArgs,
}

impl LeakArgs {
    /// The limits and filters that the command line gives. clap needs a struct of its own, whose
    /// attributes are the help texts and the parsers.
    pub fn limits(&self) -> Limits {
        let given = |patterns: &[String]| (!patterns.is_empty()).then(|| patterns.to_vec());
        let mut limits = Limits::new();
        limits.max_growth = self.max_growth;
        limits.max_blocks = self.max_blocks;
        limits.runs = self.runs;
        limits.frames = self.frames;
        limits.include = given(&self.include);
        limits.exclude = given(&self.exclude);
        limits.domain = self.domain;
        limits
    }
}
