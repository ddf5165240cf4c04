//! GitLab's code quality report: an array with an issue for each finding.

use anyhow::Result;
use serde_json::{Value, json};

use crate::output::formats::Finding;
use crate::output::json;

/// Renders the array.
pub fn render(findings: &[Finding<'_>]) -> Result<String> {
    json::render(&findings.iter().map(issue).collect::<Vec<_>>())
}

fn issue(finding: &Finding<'_>) -> Value {
    json!({
        "description": finding.title,
        "check_name": format!("tracemalloc-{}", finding.rule.word()),
        "fingerprint": finding.id,
        "severity": "major",
        "location": { "path": finding.file, "lines": { "begin": finding.line } },
    })
}
