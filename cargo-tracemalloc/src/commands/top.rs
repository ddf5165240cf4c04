//! `cargo tracemalloc top`: the biggest groups of blocks of a snapshot, the rest summed up.

use anyhow::Result;

use crate::cli::{Format, TopArgs};
use crate::exit_code::ExitCode;
use crate::render::{self, snapshot};
use crate::view::View;

/// Runs the command.
pub fn run(args: &TopArgs) -> Result<ExitCode> {
    let mut view = View::resolve(&args.view)?;
    let statistics = view.statistics(&args.snapshot)?;
    render::print_all(&match args.view.format {
        Format::Json => snapshot::json::statistics("top", &mut view, &statistics)?,
        Format::Text => snapshot::text::top(&mut view, &statistics),
    })?;
    Ok(ExitCode::Clean)
}
