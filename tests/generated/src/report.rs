//! The verdicts of a report of `cargo tracemalloc test`. `docs/report.md` says its form.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

/// The name of its file, beside the workspace's manifest.
pub const FILE: &str = "report.json";

/// The result of every test, by the last part of the test's name: its verdict, or why it has none.
pub fn read(path: &Path) -> Result<HashMap<String, String>, String> {
    let failed = |error: String| format!("failed to read {}: {error}", path.display());
    let text = fs::read(path).map_err(|error| failed(error.to_string()))?;
    let report = serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))?;
    verdicts(&report).ok_or_else(|| failed("it has no targets with tests".to_owned()))
}

fn verdicts(report: &Value) -> Option<HashMap<String, String>> {
    let mut verdicts = HashMap::new();
    for target in report["targets"].as_array()? {
        for test in target["tests"].as_array()? {
            let name = test["name"].as_str()?;
            let name = name.rsplit_once("::").map_or(name, |(_, last)| last);
            let outcome = test["outcome"].as_str()?;
            let verdict = match test["verdict"].as_str() {
                Some(verdict) => verdict.to_owned(),
                None if outcome == "passed" => "untraced".to_owned(),
                None => match test["message"].as_str() {
                    Some(message) => format!("{outcome}: {message}"),
                    None => outcome.to_owned(),
                },
            };
            verdicts.insert(name.to_owned(), verdict);
        }
    }
    Some(verdicts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_has_a_verdict_or_an_outcome() {
        let report = serde_json::json!({ "targets": [
            { "tests": [
                { "name": "a::leak_memo_1", "outcome": "passed", "verdict": "leak" },
                { "name": "b", "outcome": "failed", "verdict": null, "message": "killed" },
            ] },
            { "tests": [{ "name": "c", "outcome": "passed", "verdict": null }] },
        ] });
        let verdicts = verdicts(&report).expect("it is a report");
        assert_eq!(verdicts["leak_memo_1"], "leak");
        assert_eq!(verdicts["b"], "failed: killed");
        assert_eq!(verdicts["c"], "untraced");
    }
}
