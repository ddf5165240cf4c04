//! The options of `cargo test`, each declared, so that a typo gets a suggestion. Passes them on to
//! cargo.

use camino::Utf8PathBuf;
use clap::{ArgAction, Args};

use crate::util::terminal::Color;

/// Cargo's own options.
#[derive(Debug, Default, Args)]
pub struct CargoOptions {
    /// Run only tests whose names contain this
    #[arg(value_name = "TESTNAME")]
    pub name: Option<String>,

    /// Arguments for the test harness
    #[arg(last = true, value_name = "ARGS")]
    pub rest: Vec<String>,

    /// Compile, but don't run tests
    #[arg(long)]
    pub no_run: bool,
    /// Run all targets, even if one fails
    #[arg(long)]
    pub no_fail_fast: bool,
    /// Report future incompatibilities at the end of the build
    #[arg(long)]
    pub future_incompat_report: bool,
    /// Format of the compiler's messages
    #[arg(long, value_name = "FMT")]
    pub message_format: Vec<String>,
    /// Print less
    #[arg(short, long)]
    pub quiet: bool,
    /// Print more: the commands that run (-vv: also the output of build scripts)
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
    /// Control when colored output is used
    #[arg(long, value_name = "WHEN")]
    pub color: Option<Color>,
    /// Override one of cargo's configuration values
    #[arg(long, value_name = "KEY=VALUE|PATH")]
    pub config: Vec<String>,
    /// Unstable (nightly-only) flags to cargo
    #[arg(short = 'Z', value_name = "FLAG")]
    pub unstable: Vec<String>,

    /// Package to run tests for
    #[arg(short, long, value_name = "SPEC", num_args = 0..=1, default_missing_value = "", help_heading = "Package Selection")]
    pub package: Vec<String>,
    /// Test all packages in the workspace
    #[arg(long, help_heading = "Package Selection")]
    pub workspace: bool,
    /// Packages to exclude from the run (cargo's own `--exclude`)
    #[arg(long, value_name = "SPEC", help_heading = "Package Selection")]
    pub exclude_package: Vec<String>,
    /// Alias for --workspace
    #[arg(long, help_heading = "Package Selection")]
    pub all: bool,

    /// Test only this package's library
    #[arg(long, help_heading = "Target Selection")]
    pub lib: bool,
    /// Test all binaries
    #[arg(long, help_heading = "Target Selection")]
    pub bins: bool,
    /// Test only the specified binary
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "", help_heading = "Target Selection")]
    pub bin: Vec<String>,
    /// Test all examples
    #[arg(long, help_heading = "Target Selection")]
    pub examples: bool,
    /// Test only the specified example
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "", help_heading = "Target Selection")]
    pub example: Vec<String>,
    /// Test all targets that have `test = true` set
    #[arg(long, help_heading = "Target Selection")]
    pub tests: bool,
    /// Test only the specified test target
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "", help_heading = "Target Selection")]
    pub test: Vec<String>,
    /// Test all targets that have `bench = true` set
    #[arg(long, help_heading = "Target Selection")]
    pub benches: bool,
    /// Test only the specified bench target
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "", help_heading = "Target Selection")]
    pub bench: Vec<String>,
    /// Test all targets (does not include doctests)
    #[arg(long, help_heading = "Target Selection")]
    pub all_targets: bool,
    /// Test only this library's documentation, untraced
    #[arg(long, help_heading = "Target Selection")]
    pub doc: bool,

    /// Features to activate, separated by space or comma
    #[arg(short = 'F', long, value_name = "FEATURES", help_heading = "Feature Selection")]
    pub features: Vec<String>,
    /// Activate all available features
    #[arg(long, help_heading = "Feature Selection")]
    pub all_features: bool,
    /// Do not activate the `default` feature
    #[arg(long, help_heading = "Feature Selection")]
    pub no_default_features: bool,

    /// Number of parallel jobs of the build
    #[arg(
        short,
        long,
        value_name = "N",
        allow_hyphen_values = true,
        help_heading = "Compilation Options"
    )]
    pub jobs: Option<String>,
    /// Build in release mode, with optimizations
    #[arg(short, long, help_heading = "Compilation Options")]
    pub release: bool,
    /// Build with the specified profile
    #[arg(long, value_name = "PROFILE-NAME", help_heading = "Compilation Options")]
    pub profile: Option<String>,
    /// Build for the target triple
    #[arg(long, value_name = "TRIPLE", help_heading = "Compilation Options")]
    pub target: Vec<String>,
    /// Directory for all generated artifacts; tracemalloc builds in `tracemalloc` inside it
    #[arg(long, value_name = "DIRECTORY", help_heading = "Compilation Options")]
    pub target_dir: Option<Utf8PathBuf>,

    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH", help_heading = "Manifest Options")]
    pub manifest_path: Option<Utf8PathBuf>,
    /// Ignore `rust-version` specification in packages
    #[arg(long, help_heading = "Manifest Options")]
    pub ignore_rust_version: bool,
    /// Assert that `Cargo.lock` will remain unchanged
    #[arg(long, help_heading = "Manifest Options")]
    pub locked: bool,
    /// Run without accessing the network
    #[arg(long, help_heading = "Manifest Options")]
    pub offline: bool,
    /// Equivalent to specifying both --locked and --offline
    #[arg(long, help_heading = "Manifest Options")]
    pub frozen: bool,
}

impl CargoOptions {
    /// The options that select and shape a build. Without the target directory, and without options
    /// for output and for running.
    pub fn build_args(&self) -> Vec<String> {
        let mut args = Vec::new();
        let mut values = |name: &str, values: &[String]| {
            args.extend(values.iter().map(|value| match value.as_str() {
                "" => name.to_owned(),
                value => format!("{name}={value}"),
            }));
        };
        values("--package", &self.package);
        values("--workspace", &flag(self.workspace || self.all));
        values("--exclude", &self.exclude_package);
        values("--lib", &flag(self.lib));
        values("--bins", &flag(self.bins));
        values("--bin", &self.bin);
        values("--examples", &flag(self.examples));
        values("--example", &self.example);
        values("--tests", &flag(self.tests));
        values("--test", &self.test);
        values("--benches", &flag(self.benches));
        values("--bench", &self.bench);
        values("--all-targets", &flag(self.all_targets));
        values("--doc", &flag(self.doc));
        values("--no-fail-fast", &flag(self.no_fail_fast));
        values("--future-incompat-report", &flag(self.future_incompat_report));
        values("--jobs", self.jobs.as_slice());
        values("--release", &flag(self.release));
        values("--profile", self.profile.as_slice());
        values("--target", &self.target);
        values("--ignore-rust-version", &flag(self.ignore_rust_version));
        args.extend(self.resolve_args());
        args
    }

    /// The options that select packages and their versions. `cargo metadata` knows all of them.
    pub fn resolve_args(&self) -> Vec<String> {
        let mut args = Vec::new();
        args.extend(self.manifest_path.iter().map(|path| format!("--manifest-path={path}")));
        args.extend(self.features.iter().map(|features| format!("--features={features}")));
        args.extend(self.all_features.then(|| "--all-features".to_owned()));
        args.extend(self.no_default_features.then(|| "--no-default-features".to_owned()));
        args.extend(self.locked.then(|| "--locked".to_owned()));
        args.extend(self.offline.then(|| "--offline".to_owned()));
        args.extend(self.frozen.then(|| "--frozen".to_owned()));
        args.extend(self.config.iter().map(|config| format!("--config={config}")));
        args.extend(self.unstable.iter().map(|flag| format!("-Z={flag}")));
        args
    }

    /// The options for cargo's output.
    pub fn output_args(&self) -> Vec<String> {
        let mut args: Vec<String> =
            self.message_format.iter().map(|format| format!("--message-format={format}")).collect();
        args.extend(self.quiet.then(|| "--quiet".to_owned()));
        args.extend((0..self.verbose).map(|_| "--verbose".to_owned()));
        args.extend(self.color.map(|color| {
            let when = match color {
                Color::Auto => "auto",
                Color::Always => "always",
                Color::Never => "never",
            };
            format!("--color={when}")
        }));
        args
    }

    /// The options that go through cargo to the harness, with the `--` in front.
    pub fn harness_args(&self) -> Vec<String> {
        let mut args: Vec<String> = self.name.iter().cloned().collect();
        if !self.rest.is_empty() {
            args.push("--".to_owned());
            args.extend(self.rest.iter().cloned());
        }
        args
    }

    /// Whether the harness only lists tests.
    pub fn lists_tests(&self) -> bool {
        self.rest.iter().any(|arg| arg == "--list")
    }

    /// Whether the options select targets or tests, so that some may be left out.
    pub fn selects_tests(&self) -> bool {
        let harmless = |arg: &String| {
            let number = arg.bytes().all(|byte| byte.is_ascii_digit());
            number
                || ["--test-threads", "--nocapture", "--show-output", "--include-ignored"]
                    .contains(&arg.as_str())
        };
        let targets = self.selects_targets() && !self.tests && !self.all_targets;
        self.name.is_some() || !self.rest.iter().all(harmless) || targets || self.doc
    }

    /// Whether the options select targets.
    pub fn selects_targets(&self) -> bool {
        self.lib
            || self.bins
            || self.examples
            || self.tests
            || self.benches
            || self.all_targets
            || !(self.bin.is_empty()
                && self.example.is_empty()
                && self.test.is_empty()
                && self.bench.is_empty())
    }
}

/// A flag as the values of an option without a value.
fn flag(set: bool) -> Vec<String> {
    if set { vec![String::new()] } else { Vec::new() }
}
