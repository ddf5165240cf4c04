//! `cargo tracemalloc diff`: prints the biggest differences between two snapshots.

use anyhow::Result;

use crate::cli::{DiffArgs, Format};
use crate::output;
use crate::output::snapshot;
use crate::snapshot::SnapshotQuery;
use crate::util::exit_code::ExitCode;

/// Runs the command.
pub fn run(args: &DiffArgs) -> Result<ExitCode> {
    let mut query = SnapshotQuery::resolve(&args.query)?;
    let (differences, held) = query.differences(&args.old, &args.new)?;
    output::print_all(&match args.query.format {
        Format::Json => snapshot::json::differences(&mut query, &differences, held.as_ref())?,
        Format::Text => snapshot::text::diff(&mut query, &differences, held.as_ref()),
    })?;
    Ok(ExitCode::Clean)
}
