//! Writes a report to the requested files, and renders what is printed.

use anyhow::{Context as _, Result};
use camino::Utf8Path;

use crate::cli::{Format, ReportArgs};
use crate::output::text::View;
use crate::output::{json, text};
use crate::report::Report;
use crate::util::file::write_atomically;

/// Writes a report, and returns the text for stdout. `own` is a path of the command's own for the
/// JSON report.
pub fn deliver(
    report: &Report,
    wanted: &ReportArgs,
    view: View<'_>,
    own: Option<&Utf8Path>,
) -> Result<String> {
    let json = json::render(report)?;
    for path in wanted.path.as_deref().into_iter().chain(own) {
        write(path, &json)?;
    }
    Ok(match wanted.format {
        Format::Json => json,
        Format::Text => text::render(report, view),
    })
}

fn write(path: &Utf8Path, content: &str) -> Result<()> {
    write_atomically(path, content.as_bytes())
        .with_context(|| format!("failed to write the report `{path}`"))
}
