//! `cargo tracemalloc diff`: what has changed from one snapshot to another, the biggest changes.

use anyhow::Result;

use crate::cli::{DiffArgs, Format};
use crate::exit_code::ExitCode;
use crate::render::{self, snapshot};
use crate::view::View;

/// Runs the command.
pub fn run(args: &DiffArgs) -> Result<ExitCode> {
    let mut view = View::resolve(&args.view)?;
    let differences = view.differences(&args.old, &args.new)?;
    render::print_all(&match args.view.format {
        Format::Json => snapshot::json::differences(&mut view, &differences)?,
        Format::Text => snapshot::text::diff(&view, &differences),
    })?;
    Ok(ExitCode::Clean)
}
