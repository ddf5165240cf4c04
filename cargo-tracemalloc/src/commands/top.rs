//! `cargo tracemalloc top`: prints the biggest groups of a snapshot, and the sum of the rest.

use anyhow::Result;

use crate::cli::{Format, TopArgs};
use crate::output;
use crate::output::snapshot;
use crate::snapshot::SnapshotQuery;
use crate::util::exit_code::ExitCode;

/// Runs the command.
pub fn run(args: &TopArgs) -> Result<ExitCode> {
    let mut query = SnapshotQuery::resolve(&args.query)?;
    let statistics = query.statistics(&args.snapshot)?;
    output::print_all(&match args.query.format {
        Format::Json => snapshot::json::statistics("top", &mut query, &statistics)?,
        Format::Text => snapshot::text::top(&mut query, &statistics),
    })?;
    Ok(ExitCode::Clean)
}
