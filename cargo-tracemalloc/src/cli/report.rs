//! Options for the report.

use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, ValueEnum};

/// The places and the format of the report.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Also write the JSON report to this file
    #[arg(long = "report", value_name = "PATH", help_heading = "Report Options")]
    pub path: Option<Utf8PathBuf>,

    /// Format of the output; with `json`, stdout has nothing but the report
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Report Options")]
    pub format: Format,
}

impl ReportArgs {
    /// The files to write.
    pub fn files(&self) -> impl Iterator<Item = &Utf8Path> {
        self.path.as_deref().into_iter()
    }
}

/// Formats of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}
