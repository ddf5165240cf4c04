//! JSON documents: the report, and the results of snapshot commands.

use anyhow::Result;
use serde::Serialize;

/// Indented JSON with a line feed at the end.
pub fn render(document: &impl Serialize) -> Result<String> {
    let mut json = serde_json::to_string_pretty(document)?;
    json.push('\n');
    Ok(json)
}
