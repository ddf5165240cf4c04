//! Runs the workloads under each tracer in turn, and tells how they compare. `ci/bench.sh` calls it; `docs/benchmarks.md`
//! says what is measured.

mod build;
mod case;
mod child;
mod cli;
mod machine;
mod peer;
mod results;
mod statistics;
mod table;
mod workloads;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use build::Builds;
use cli::Cli;
use results::Results;

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<()> {
    let directory = build::directory()?;
    let mut builds = Builds::new(&directory);
    let mut results = Results::read(&directory)?;
    for case in cli.cases()? {
        results.replace(workloads::measure(&case, cli.quick, &mut builds)?);
        // After each, because all of them take long.
        results.write(&directory)?;
    }
    table::print(&results, cli.markdown);
    eprintln!("bench: {}", directory.join(results::FILE));
    Ok(())
}
