//! The options of `cargo test`, each declared, so that a typo gets a suggestion. Passes them on to
//! cargo.

use clap::Args;

use crate::cli::build_options::BuildOptions;

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

    /// The options of a build.
    #[command(flatten)]
    pub build: BuildOptions,
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
        values("--jobs", self.build.jobs.as_slice());
        values("--release", &flag(self.build.release));
        values("--profile", self.build.profile.as_slice());
        values("--target", &self.build.target);
        values("--ignore-rust-version", &flag(self.build.ignore_rust_version));
        args.extend(self.build.resolve_args());
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
