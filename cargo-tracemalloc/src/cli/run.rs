//! Options of `cargo tracemalloc run`: its own, and those of `cargo run`.

use std::ffi::OsString;
use std::time::Duration;

use camino::Utf8PathBuf;
use clap::{ArgAction, ArgGroup, Args};

use crate::cli::cargo_options::CargoOptions;
use crate::cli::values;
use crate::util::terminal::Color;

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

    /// Features to activate, separated by space or comma
    #[arg(short = 'F', long, value_name = "FEATURES", help_heading = "Feature Selection")]
    features: Vec<String>,
    /// Activate all available features
    #[arg(long, help_heading = "Feature Selection")]
    all_features: bool,
    /// Do not activate the `default` feature
    #[arg(long, help_heading = "Feature Selection")]
    no_default_features: bool,

    /// Number of parallel jobs of the build
    #[arg(
        short,
        long,
        value_name = "N",
        allow_hyphen_values = true,
        help_heading = "Compilation Options"
    )]
    jobs: Option<String>,
    /// Build in release mode, with optimizations
    #[arg(short, long, help_heading = "Compilation Options")]
    release: bool,
    /// Build with the specified profile
    #[arg(long, value_name = "PROFILE-NAME", help_heading = "Compilation Options")]
    profile: Option<String>,
    /// Build for the target triple
    #[arg(long, value_name = "TRIPLE", help_heading = "Compilation Options")]
    target: Option<String>,
    /// Directory for all generated artifacts; tracemalloc builds in `tracemalloc` inside it
    #[arg(long, value_name = "DIRECTORY", help_heading = "Compilation Options")]
    target_dir: Option<Utf8PathBuf>,

    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH", help_heading = "Manifest Options")]
    manifest_path: Option<Utf8PathBuf>,
    /// Ignore `rust-version` specification in packages
    #[arg(long, help_heading = "Manifest Options")]
    ignore_rust_version: bool,
    /// Assert that `Cargo.lock` will remain unchanged
    #[arg(long, help_heading = "Manifest Options")]
    locked: bool,
    /// Run without accessing the network
    #[arg(long, help_heading = "Manifest Options")]
    offline: bool,
    /// Equivalent to specifying both --locked and --offline
    #[arg(long, help_heading = "Manifest Options")]
    frozen: bool,

    /// Format of the compiler's messages
    #[arg(long, value_name = "FMT")]
    message_format: Vec<String>,
    /// Print less
    #[arg(short, long)]
    quiet: bool,
    /// Print more: the commands that run (-vv: also the output of build scripts)
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,
    /// Control when colored output is used
    #[arg(long, value_name = "WHEN")]
    color: Option<Color>,
    /// Override one of cargo's configuration values
    #[arg(long, value_name = "KEY=VALUE|PATH")]
    config: Vec<String>,
    /// Unstable (nightly-only) flags to cargo
    #[arg(short = 'Z', value_name = "FLAG")]
    unstable: Vec<String>,
}

impl RunArgs {
    /// The options of cargo among them.
    pub fn cargo(&self) -> CargoOptions {
        CargoOptions {
            package: self.package.iter().cloned().collect(),
            bin: self.bin.iter().cloned().collect(),
            example: self.example.iter().cloned().collect(),
            features: self.features.clone(),
            all_features: self.all_features,
            no_default_features: self.no_default_features,
            jobs: self.jobs.clone(),
            release: self.release,
            profile: self.profile.clone(),
            target: self.target.iter().cloned().collect(),
            target_dir: self.target_dir.clone(),
            manifest_path: self.manifest_path.clone(),
            ignore_rust_version: self.ignore_rust_version,
            locked: self.locked,
            offline: self.offline,
            frozen: self.frozen,
            message_format: self.message_format.clone(),
            quiet: self.quiet,
            verbose: self.verbose,
            color: self.color,
            config: self.config.clone(),
            unstable: self.unstable.clone(),
            ..CargoOptions::default()
        }
    }
}
