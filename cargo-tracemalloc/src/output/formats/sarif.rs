//! SARIF 2.1.0, for code scanning. The fingerprint makes a leak the same from run to run.

use anyhow::Result;
use serde_json::{Value, json};

use crate::output::formats::Finding;
use crate::output::json;
use crate::report::{Change, LeakKind, Report};

/// The kinds of leaks, each a rule.
const RULES: [(LeakKind, &str, &str); 4] = [
    (LeakKind::Lost, "lost", "Nothing points to this memory any more"),
    (LeakKind::Cycle, "cycle", "Only blocks of a cycle point to this memory"),
    (LeakKind::Held, "held", "A holder goes on growing"),
    (LeakKind::Grown, "grown", "Memory goes on growing"),
];

/// Renders a log with one run.
pub fn render(report: &Report, findings: &[Finding<'_>]) -> Result<String> {
    let rules =
        RULES.map(|(_, id, text)| json!({ "id": id, "shortDescription": { "text": text } }));
    json::render(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "cargo-tracemalloc",
                "version": report.tool_version,
                "rules": rules,
            } },
            "results": findings.iter().map(result).collect::<Vec<_>>(),
        }],
    }))
}

fn result(finding: &Finding<'_>) -> Value {
    let index = RULES.iter().position(|(kind, ..)| *kind == finding.leak.kind).unwrap_or_default();
    let mut result = json!({
        "ruleId": RULES[index].1,
        "ruleIndex": index,
        "level": "error",
        "message": { "text": finding.text.trim() },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&finding.file), "uriBaseId": "%SRCROOT%" },
            "region": { "startLine": finding.line },
        } }],
        "partialFingerprints": { "tracemallocLeak/v2": finding.leak.id },
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
