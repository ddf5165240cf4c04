//! `cargo tracemalloc show`: prints the biggest groups of a snapshot with their tracebacks.

use anyhow::Result;

use crate::cli::{Format, ShowArgs};
use crate::output;
use crate::output::snapshot;
use crate::snapshot::SnapshotQuery;
use crate::util::exit_code::ExitCode;

/// Runs the command.
pub fn run(args: &ShowArgs) -> Result<ExitCode> {
    let mut query = SnapshotQuery::resolve(&args.query)?;
    let statistics = query.statistics(&args.snapshot)?;
    output::print_all(&match args.query.format {
        Format::Json => snapshot::json::statistics("show", &mut query, &statistics)?,
        Format::Text => snapshot::text::show(&mut query, &statistics),
    })?;
    Ok(ExitCode::Clean)
}
