//! Options about the report.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

/// Where the report goes, and what is printed.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Write the JSON report here too
    #[arg(long = "report", value_name = "PATH", help_heading = "Report Options")]
    pub path: Option<Utf8PathBuf>,

    /// What to print; `json` leaves nothing but the report on stdout
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = "Report Options")]
    pub format: Format,
}

/// Renderings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}
