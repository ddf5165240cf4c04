//! `cargo tracemalloc config`: prints the options in effect, and where each value comes from.

use anyhow::Result;
use camino::Utf8PathBuf;

use crate::cli::{ConfigArgs, Format};
use crate::config::{Baseline, Config, Settings};
use crate::output;
use crate::suite::cargo;
use crate::util::exit_code::ExitCode;

/// Runs the command.
pub fn run(args: &ConfigArgs) -> Result<ExitCode> {
    args.leaks.baseline.only_read()?;
    let manifest = Utf8PathBuf::from(cargo::locate_workspace(args.manifest_path.as_deref())?);
    let root = manifest.parent().unwrap_or(&manifest);
    let baseline = Baseline::find(&args.leaks.baseline, root)?;
    let settings = Settings::resolve(&args.leaks, Config::find(root)?, baseline);
    output::print_all(&match args.format {
        Format::Json => output::json::render(&output::settings::document(&settings))?,
        Format::Text => output::settings::text(&settings),
    })?;
    Ok(ExitCode::Clean)
}
