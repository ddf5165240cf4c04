//! Options for the report.

use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, ValueEnum};

/// Their heading in `--help`.
const HEADING: &str = "Report Options";

/// The places and the format of the report.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Also write the JSON report to this file
    #[arg(long = "report", value_name = "PATH", help_heading = HEADING)]
    pub path: Option<Utf8PathBuf>,

    /// Write JUnit XML to this file; a leak is a failure
    #[arg(long, value_name = "PATH", help_heading = HEADING)]
    pub junit: Option<Utf8PathBuf>,

    /// Write SARIF 2.1 to this file, for code scanning
    #[arg(long, value_name = "PATH", help_heading = HEADING)]
    pub sarif: Option<Utf8PathBuf>,

    /// Write GitLab's code quality JSON to this file
    #[arg(long, value_name = "PATH", help_heading = HEADING)]
    pub gitlab: Option<Utf8PathBuf>,

    /// Write Markdown to this file, for a comment on a pull request
    #[arg(long, value_name = "PATH", help_heading = HEADING)]
    pub markdown: Option<Utf8PathBuf>,

    /// Write an HTML page to this file, with the leaks, their holders and a flame graph
    #[arg(long, value_name = "PATH", help_heading = HEADING)]
    pub html: Option<Utf8PathBuf>,

    /// Print no annotations and write no step summary on GitHub Actions
    #[arg(long, help_heading = HEADING)]
    pub no_github: bool,

    /// Format of stdout; except with `text`, nothing else is printed there
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = HEADING)]
    pub format: ReportFormat,
}

impl ReportArgs {
    /// The files to write.
    pub fn files(&self) -> impl Iterator<Item = &Utf8Path> {
        let Self { path, junit, sarif, gitlab, markdown, html, .. } = self;
        let files = [path, junit, sarif, gitlab, markdown, html];
        files.into_iter().filter_map(|path| path.as_deref())
    }
}

/// Formats of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// JUnit XML
    Junit,
    /// SARIF 2.1
    Sarif,
    /// GitLab's code quality JSON
    Gitlab,
    /// A comment on a pull request
    Markdown,
    /// An HTML page
    Html,
    /// Annotations of GitHub Actions
    Github,
}

/// Formats of other output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}
