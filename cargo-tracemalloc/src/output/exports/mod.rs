//! Profiles in the formats of other tools, a file for each format.

mod firefox;
pub mod flamegraph;
mod folded;
mod pprof;
mod speedscope;

use anyhow::Result;

use crate::cli::ExportFormat;
use crate::profile::Profile;

/// Renders a profile.
pub fn render(profile: &Profile, format: ExportFormat) -> Result<Vec<u8>> {
    match format {
        ExportFormat::Folded => Ok(folded::render(profile).into_bytes()),
        ExportFormat::Pprof => pprof::render(profile),
        ExportFormat::Speedscope => speedscope::render(profile),
        ExportFormat::Firefox => firefox::render(profile),
    }
}
