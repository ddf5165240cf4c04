//! The report itself.

use anyhow::Result;

use crate::report::Report;

/// Indented, with a line feed at the end.
pub fn render(report: &Report) -> Result<String> {
    let mut json = serde_json::to_string_pretty(report)?;
    json.push('\n');
    Ok(json)
}
