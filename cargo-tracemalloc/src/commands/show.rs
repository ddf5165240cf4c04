//! `cargo tracemalloc show`: the biggest groups of blocks of a snapshot, with their tracebacks.

use anyhow::Result;

use crate::cli::{Format, ShowArgs};
use crate::exit_code::ExitCode;
use crate::render::{self, snapshot};
use crate::view::View;

/// Runs the command.
pub fn run(args: &ShowArgs) -> Result<ExitCode> {
    let mut view = View::resolve(&args.view)?;
    let statistics = view.statistics(&args.snapshot)?;
    render::print_all(&match args.view.format {
        Format::Json => snapshot::json::statistics("show", &mut view, &statistics)?,
        Format::Text => snapshot::text::show(&mut view, &statistics),
    })?;
    Ok(ExitCode::Clean)
}
