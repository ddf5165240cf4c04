//! Documents for programs: the report itself, and what there is in snapshots.

use anyhow::Result;
use serde::Serialize;

/// Indented, with a line feed at the end.
pub fn render(document: &impl Serialize) -> Result<String> {
    let mut json = serde_json::to_string_pretty(document)?;
    json.push('\n');
    Ok(json)
}
