//! Options of `cargo tracemalloc run`: its own, and those of `cargo run`.

use std::ffi::OsString;
use std::time::Duration;

use camino::Utf8PathBuf;
use clap::{ArgGroup, Args};
use tracemalloc::Domain;

use crate::cli::build_options::BuildOptions;
use crate::cli::cargo_options::CargoOptions;
use crate::cli::values;

const AFTER_HELP: &str = "\
The exit code is the program's, or 128 plus the number of the signal that ended it. It is 103 if the
program could not be built, and 2 after bad usage.

SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1 and SIGUSR2 to this command reach the program. After
SIGHUP, SIGINT or SIGTERM, a program without a handler takes its last snapshot and ends.";

/// The group of options that take snapshots while the program runs.
const EARLIER: &str = "earlier";

/// Arguments of `run`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP, group = ArgGroup::new(EARLIER).multiple(true))]
pub struct RunArgs {
    /// Arguments of the program
    #[arg(value_name = "ARGS", trailing_var_arg = true, allow_hyphen_values = true)]
    pub program_args: Vec<OsString>,

    /// File for the snapshot at the program's end [default: `tracemalloc/snapshot.json` in the
    /// target directory]. Earlier snapshots go beside it, with the time (UTC) and the cause in
    /// their names: `snapshot-20260131T093000.250Z-signal.json`
    #[arg(long, value_name = "FILE", help_heading = "Snapshot Options")]
    pub snapshot: Option<Utf8PathBuf>,

    /// Number of frames that a traceback keeps
    #[arg(
        long,
        value_name = "N",
        default_value_t = 16,
        value_parser = values::frames,
        help_heading = "Snapshot Options"
    )]
    pub frames: u32,

    /// Language whose blocks snapshots and the summary have: `rust`, `c` or `all`
    #[arg(
        long,
        value_name = "LANGUAGE",
        default_value_t = Domain::All,
        value_parser = values::language,
        help_heading = "Snapshot Options"
    )]
    pub domain: Domain,

    /// Take a snapshot each time the program gets this signal, such as `SIGUSR1`
    #[arg(long, value_name = "SIGNAL", value_parser = values::signal, group = EARLIER, help_heading = "Snapshot Options")]
    pub snapshot_on: Option<i32>,

    /// Take a snapshot at this interval: `30s`, `5m`
    #[arg(long, value_name = "DURATION", value_parser = values::duration, group = EARLIER, help_heading = "Snapshot Options")]
    pub snapshot_every: Option<Duration>,

    /// Keep the newest N of these snapshots, and remove older ones of this run
    #[arg(
        long,
        value_name = "N",
        value_parser = values::limit,
        requires = EARLIER,
        help_heading = "Snapshot Options"
    )]
    pub keep: Option<usize>,

    /// Number of lines of code to show at the end
    #[arg(
        long,
        value_name = "N",
        default_value_t = 10,
        value_parser = values::limit,
        help_heading = "Snapshot Options"
    )]
    pub limit: usize,

    /// Package with the program to run
    #[arg(short, long, value_name = "SPEC", help_heading = "Package Selection")]
    package: Option<String>,
    /// Name of the binary to run
    #[arg(long, value_name = "NAME", help_heading = "Target Selection")]
    bin: Option<String>,
    /// Name of the example to run
    #[arg(long, value_name = "NAME", help_heading = "Target Selection")]
    example: Option<String>,

    /// The options of the build.
    #[command(flatten)]
    pub build: BuildOptions,
}

impl RunArgs {
    /// The options of cargo among them.
    pub fn cargo(&self) -> CargoOptions {
        CargoOptions {
            package: self.package.iter().cloned().collect(),
            bin: self.bin.iter().cloned().collect(),
            example: self.example.iter().cloned().collect(),
            build: self.build.clone(),
            ..CargoOptions::default()
        }
    }
}
