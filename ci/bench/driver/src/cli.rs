//! The command line as declared.

use anyhow::{Result, bail};
use clap::Parser;

use crate::case::{self, Case};

/// What tracing every allocation costs, beside the same work untraced.
#[derive(Debug, Parser)]
#[command(name = "ci/bench.sh", after_help = format!("Workloads: {}", names()))]
pub struct Cli {
    /// Ours alone, in fewer rounds: for who is changing it
    #[arg(long)]
    pub quick: bool,
    /// Print Markdown
    #[arg(long)]
    pub markdown: bool,
    /// What to measure [default: all of them]
    #[arg(value_name = "WORKLOAD")]
    workloads: Vec<String>,
}

fn names() -> String {
    let names: Vec<String> = case::all().into_iter().map(|case| case.name).collect();
    names.join(", ")
}

impl Cli {
    /// What to measure, in order.
    pub fn cases(&self) -> Result<Vec<Case>> {
        let mut cases = case::all();
        for wanted in &self.workloads {
            if !cases.iter().any(|case| case.name == *wanted) {
                bail!("there is no workload {wanted:?}; there are {}", names());
            }
        }
        cases.retain(|case| self.workloads.is_empty() || self.workloads.contains(&case.name));
        Ok(cases)
    }
}
