//! `cargo tracemalloc config`: prints which options hold, and where each of them is from.

use anyhow::Result;
use camino::Utf8PathBuf;

use crate::cli::{ConfigArgs, Format};
use crate::config::Config;
use crate::exit_code::ExitCode;
use crate::settings::Settings;
use crate::{cargo, render};

/// Runs the command.
pub fn run(args: &ConfigArgs) -> Result<ExitCode> {
    let manifest = Utf8PathBuf::from(cargo::locate_workspace(args.manifest_path.as_deref())?);
    let root = manifest.parent().unwrap_or(&manifest);
    let settings = Settings::resolve(&args.leaks, Config::find(root)?);
    render::print_all(&match args.format {
        Format::Json => render::json::render(&render::settings::document(&settings))?,
        Format::Text => render::settings::text(&settings),
    })?;
    Ok(ExitCode::Clean)
}
