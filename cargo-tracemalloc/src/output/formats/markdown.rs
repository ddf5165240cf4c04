//! Markdown for a comment on a pull request, and for the summary of a step.

use crate::output::formats::{Finding, Rule};
use crate::output::text::line::{count, line};
use crate::report::{Comparison, Report};

/// The number of findings that are shown. GitHub takes 65,536 characters a comment.
const SHOWN: usize = 20;

/// Renders a table of findings, and the text of each.
pub fn render(
    report: &Report,
    findings: &[Finding<'_>],
    comparison: Option<&Comparison>,
) -> String {
    let mut text = String::new();
    let number = findings.iter().filter(|one| matches!(one.rule, Rule::Leak(_))).count() as u64;
    let leaks = match (comparison, number) {
        (None, 0) => "no leaks".to_owned(),
        (None, _) => count(number, "leak"),
        (Some(_), 0) => "no new leaks".to_owned(),
        (Some(_), _) => format!("{}, new or grown", count(number, "leak")),
    };
    let others = match findings.len() as u64 - number {
        0 => String::new(),
        others => format!(" and {}", count(others, "denied finding")),
    };
    line(&mut text, format_args!("### tracemalloc: {leaks}{others}\n"));
    if !findings.is_empty() {
        line(&mut text, "| leak | a run | place | tests | id |\n|---|---|---|---|---|");
    }
    for finding in findings.iter().take(SHOWN) {
        let Finding { rule, id, title, amount, tests, file, line: number, .. } = finding;
        // The amount of a leak has a column of its own.
        let short = match rule {
            Rule::Leak(_) => title.rsplit_once(": ").map_or(title.as_str(), |(title, _)| title),
            Rule::Mismatch | Rule::Stale | Rule::Verdict => title.as_str(),
        };
        let (title, place) = (cell(short), cell(&format!("{file}:{number}")));
        let tests = tests.len();
        line(&mut text, format_args!("| {title} | {amount} | {place} | {tests} | {id} |"));
    }
    let more = findings.len().saturating_sub(SHOWN);
    if more > 0 {
        line(&mut text, format_args!("\nand {more} more"));
    }
    for finding in findings.iter().take(SHOWN) {
        let (id, body) = (&finding.id, finding.text.trim());
        let fence = fence(body);
        line(
            &mut text,
            format_args!(
                "\n<details><summary>{id}</summary>\n\n{fence}text\n{body}\n{fence}\n\n</details>"
            ),
        );
    }
    if let Some(comparison) = comparison
        && !comparison.gone.is_empty()
    {
        let gone: Vec<&str> = comparison.gone.iter().map(|leak| leak.id.as_str()).collect();
        line(&mut text, format_args!("\nGone: {}", gone.join(", ")));
    }
    let summary = &report.summary;
    let checked = count(summary.checked() as u64, "test");
    let failed = match summary.failed {
        0 => String::new(),
        failed => format!(", {} failed", count(failed as u64, "test")),
    };
    line(&mut text, format_args!("\n{checked} checked{failed}."));
    text
}

/// Code in a cell of a table.
fn cell(text: &str) -> String {
    let code = text.replace('`', "'").replace('|', "\\|").replace('\n', " ");
    format!("`{code}`")
}

/// A fence that is longer than every row of backticks inside.
fn fence(body: &str) -> String {
    let rows = body.split(|character| character != '`').map(str::len);
    "`".repeat(rows.max().unwrap_or(0).max(2) + 1)
}
