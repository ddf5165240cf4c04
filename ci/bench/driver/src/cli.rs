//! The command line as declared.

use anyhow::{Result, bail};
use clap::Parser;

use crate::case::{self, Case};

/// Compares traced work with the same work untraced.
#[derive(Debug, Parser)]
#[command(name = "ci/bench.sh", after_help = format!("Workloads: {}", names()))]
pub struct Cli {
    /// Measure this tracer alone, in fewer rounds, and leave results.json as it is. Workloads with
    /// ten million blocks run only if they are named
    #[arg(long)]
    pub quick: bool,
    /// Measure whole test suites of published crates, for about an hour
    #[arg(long)]
    pub suites: bool,
    /// Measure the first build of the runtime and the harness
    #[arg(long)]
    pub first_build: bool,
    /// Compare memory and snapshots with CPython's
    #[arg(long)]
    pub cpython: bool,
    /// Measure nothing, and print all results
    #[arg(long, conflicts_with_all = ["quick", "suites", "first_build", "cpython", "workloads"])]
    pub show: bool,
    /// Print Markdown
    #[arg(long)]
    pub markdown: bool,
    /// Workloads to measure [default: all of them, unless an option selects something]
    #[arg(value_name = "WORKLOAD")]
    workloads: Vec<String>,
}

fn names() -> String {
    let names: Vec<String> = case::all().into_iter().map(|case| case.name).collect();
    names.join(", ")
}

impl Cli {
    /// The cases to measure, in order.
    pub fn cases(&self) -> Result<Vec<Case>> {
        let mut cases = case::all();
        for wanted in &self.workloads {
            if !cases.iter().any(|case| case.name == *wanted) {
                bail!("there is no workload {wanted:?}; there are {}", names());
            }
        }
        let all = self.workloads.is_empty()
            && !(self.suites || self.first_build || self.cpython || self.show);
        let at_hand = |case: &Case| all && !(self.quick && case.is_huge());
        cases.retain(|case| at_hand(case) || self.workloads.contains(&case.name));
        Ok(cases)
    }
}
