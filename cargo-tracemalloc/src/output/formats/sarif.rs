//! SARIF 2.1.0, for code scanning. The fingerprint makes a leak the same from run to run.

use anyhow::Result;
use serde_json::{Value, json};

use crate::output::formats::{Finding, Rule};
use crate::output::json;
use crate::report::{Change, LeakKind, Report};

/// The rules: the kinds of leaks, then those that stand in a log only if it has a finding of them.
static RULES: [(Rule, &str, &str); 7] = [
    (Rule::Leak(LeakKind::Lost), "lost", "Nothing points to this memory any more"),
    (Rule::Leak(LeakKind::Cycle), "cycle", "Only blocks of a cycle point to this memory"),
    (Rule::Leak(LeakKind::Held), "held", "A holder goes on growing"),
    (Rule::Leak(LeakKind::Grown), "grown", "Memory goes on growing"),
    (Rule::Mismatch, "mismatch", "One language freed memory that another one allocated"),
    (Rule::Stale, "stale", "A known leak no longer occurs"),
    (Rule::Verdict, "verdict", "A test could not be judged, or grew once"),
];

/// Renders a log with one run.
pub fn render(report: &Report, findings: &[Finding<'_>]) -> Result<String> {
    let is_listed = |(rule, ..): &&(Rule, &str, &str)| {
        matches!(rule, Rule::Leak(_)) || findings.iter().any(|finding| finding.rule == *rule)
    };
    let rules: Vec<_> = RULES.iter().filter(is_listed).collect();
    json::render(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "cargo-tracemalloc",
                "version": report.tool_version,
                "rules": rules.iter().map(|(_, id, text)| {
                    json!({ "id": id, "shortDescription": { "text": text } })
                }).collect::<Vec<_>>(),
            } },
            "results": findings.iter().map(|finding| result(finding, &rules)).collect::<Vec<_>>(),
        }],
    }))
}

fn result(finding: &Finding<'_>, rules: &[&(Rule, &str, &str)]) -> Value {
    let index = rules.iter().position(|(rule, ..)| *rule == finding.rule).unwrap_or_default();
    let mut result = json!({
        "ruleId": rules[index].1,
        "ruleIndex": index,
        "level": "error",
        "message": { "text": finding.text.trim() },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&finding.file), "uriBaseId": "%SRCROOT%" },
            "region": { "startLine": finding.line },
        } }],
        "partialFingerprints": { "tracemallocLeak/v2": finding.id },
    });
    if let Some(change) = finding.change {
        let state = if change == Change::New { "new" } else { "updated" };
        result["baselineState"] = json!(state);
    }
    result
}

/// A path as a relative reference: other bytes than those of plain names are escaped.
fn uri(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes()
        .map(
            |byte| {
                if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
            },
        )
        .collect()
}
