//! The options of a build that `cargo test` and `cargo run` share.

use camino::Utf8PathBuf;
use clap::{ArgAction, Args};

use crate::util::terminal::Color;

/// Features, profile, target, manifest, and cargo's output.
#[derive(Debug, Default, Clone, Args)]
pub struct BuildOptions {
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

impl BuildOptions {
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
}
