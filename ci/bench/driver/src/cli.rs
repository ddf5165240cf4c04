//! The command line as declared.

use anyhow::{Result, bail};
use clap::Parser;

use crate::case::{self, Case};

/// What tracing every allocation costs, beside the same work untraced.
#[derive(Debug, Parser)]
#[command(name = "ci/bench.sh", after_help = format!("Workloads: {}", names()))]
pub struct Cli {
    /// Ours alone, in fewer rounds, without ten million blocks unless named, and results.json stays as it is: for who is
    /// changing the tracer
    #[arg(long)]
    pub quick: bool,
    /// Whole test suites of published crates; for about an hour
    #[arg(long)]
    pub suites: bool,
    /// The first build of what is injected
    #[arg(long)]
    pub first_build: bool,
    /// Memory and snapshots beside CPython's
    #[arg(long)]
    pub cpython: bool,
    /// Measure nothing: print all that is in results.json
    #[arg(long, conflicts_with_all = ["quick", "suites", "first_build", "cpython", "workloads"])]
    pub show: bool,
    /// Print Markdown
    #[arg(long)]
    pub markdown: bool,
    /// What to measure [default: all of them, unless an option says what]
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
        let all = self.workloads.is_empty()
            && !(self.suites || self.first_build || self.cpython || self.show);
        let at_hand = |case: &Case| all && !(self.quick && case.is_huge());
        cases.retain(|case| at_hand(case) || self.workloads.contains(&case.name));
        Ok(cases)
    }
}
