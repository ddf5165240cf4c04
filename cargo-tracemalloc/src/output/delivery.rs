//! Writes a report to the requested files, and renders it for stdout.

use std::cell::LazyCell;
use std::io::Write as _;

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use fs_err as fs;

use crate::cli::{ReportArgs, ReportFormat};
use crate::output::formats::{findings, github, gitlab, junit, markdown, sarif};
use crate::output::text::View;
use crate::output::{html, json, text};
use crate::report::Report;
use crate::util::file::write_atomically;
use crate::util::{private_env, terminal};

/// Writes a report, and returns the text for stdout. `own` is a path of the command's own for the
/// JSON report.
pub fn deliver(
    report: &Report,
    wanted: &ReportArgs,
    view: View<'_>,
    own: Option<&Utf8Path>,
) -> Result<String> {
    let displayed = report.displayed()?;
    let render = renderer(report, &displayed, view);
    let files = [
        (ReportFormat::Json, [wanted.path.as_deref(), own]),
        (ReportFormat::Junit, [wanted.junit.as_deref(), None]),
        (ReportFormat::Sarif, [wanted.sarif.as_deref(), None]),
        (ReportFormat::Gitlab, [wanted.gitlab.as_deref(), None]),
        (ReportFormat::Markdown, [wanted.markdown.as_deref(), None]),
        (ReportFormat::Html, [wanted.html.as_deref(), None]),
    ];
    for (format, paths) in files {
        let mut paths = paths.into_iter().flatten().peekable();
        if paths.peek().is_none() {
            continue;
        }
        let text = render(format)?;
        for path in paths {
            write_atomically(path, text.as_bytes())
                .with_context(|| format!("failed to write the report `{path}`"))?;
        }
    }
    let is_on_github = std::env::var(private_env::GITHUB_ACTIONS).is_ok_and(|on| on == "true");
    if is_on_github && !wanted.no_github {
        // Stdout may go to a file. GitHub reads both.
        if wanted.format != ReportFormat::Github {
            terminal::print(&render(ReportFormat::Github)?);
        }
        if let Err(error) = add_to_step_summary(&render(ReportFormat::Markdown)?) {
            terminal::warning(format_args!("failed to write the step summary: {error:#}"));
        }
    }
    render(wanted.format)
}

/// The function that renders a report in a format. `displayed` is the report for people.
pub fn renderer(
    report: &Report,
    displayed: &Report,
    view: View<'_>,
) -> impl Fn(ReportFormat) -> Result<String> {
    let findings = LazyCell::new(move || findings(displayed, view.comparison));
    move |format| match format {
        ReportFormat::Text => Ok(text::render(displayed, view)),
        ReportFormat::Json => json::render(report),
        ReportFormat::Junit => junit::render(displayed, &findings),
        ReportFormat::Sarif => sarif::render(displayed, &findings),
        ReportFormat::Gitlab => gitlab::render(&findings),
        ReportFormat::Markdown => Ok(markdown::render(displayed, &findings, view.comparison)),
        ReportFormat::Html => html::render(displayed, view.comparison),
        ReportFormat::Github => Ok(github::render(&findings)),
    }
}

/// Appends to the summary of the step: others may have written to it.
fn add_to_step_summary(markdown: &str) -> Result<()> {
    let Ok(path) = std::env::var(private_env::GITHUB_STEP_SUMMARY) else { return Ok(()) };
    let mut file = fs::OpenOptions::new().append(true).create(true).open(path)?;
    Ok(file.write_all(markdown.as_bytes())?)
}
