//! GitLab's code quality report: an array with an issue for each finding.

use anyhow::Result;
use serde_json::{Value, json};

use crate::output::formats::{Finding, Rule};
use crate::output::json;

/// Renders the array.
pub fn render(findings: &[Finding<'_>]) -> Result<String> {
    json::render(&findings.iter().map(issue).collect::<Vec<_>>())
}

fn issue(finding: &Finding<'_>) -> Value {
    json!({
        "description": finding.title,
        "check_name": match finding.rule {
            Rule::Leak(_) => "tracemalloc-leak",
            Rule::Mismatch => "tracemalloc-mismatch",
            Rule::Stale => "tracemalloc-stale",
            Rule::Verdict => "tracemalloc-verdict",
        },
        "fingerprint": finding.id,
        "severity": "major",
        "location": { "path": finding.file, "lines": { "begin": finding.line } },
    })
}
