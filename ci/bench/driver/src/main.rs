//! Runs the workloads under each tracer in turn, and prints how they compare. `ci/bench.sh` calls
//! it; `docs/benchmarks.md` describes the method.

mod build;
mod case;
mod child;
mod cli;
mod cpython;
mod first_build;
mod machine;
mod peer;
mod plot;
mod results;
mod statistics;
mod suites;
mod table;
mod workloads;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use build::Builds;
use cli::Cli;
use results::{Results, Row};

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
    let mut known = Results::read(&directory)?;
    if cli.show {
        table::print(&known, cli.markdown);
        return Ok(());
    }
    let mut new = Results { machine: known.machine.clone(), rows: Vec::new() };
    let mut take = |rows: Vec<Row>| {
        new.take(&rows);
        if cli.quick {
            return Ok(());
        }
        // After each, because all of them take long.
        known.take(&rows);
        known.write(&directory)?;
        plot::write(&known, &directory)
    };
    for case in cli.cases()? {
        take(workloads::measure(&case, cli.quick, &mut builds)?)?;
    }
    if cli.cpython {
        take(cpython::measure(&mut builds)?)?;
    }
    if cli.first_build {
        take(first_build::measure(&directory)?)?;
    }
    if cli.suites {
        for suite in suites::SUITES {
            take(suites::measure(suite, &directory)?)?;
        }
    }
    table::print(&new, cli.markdown);
    if !cli.quick {
        eprintln!("bench: {}, {}", directory.join(results::FILE), directory.join(plot::FILE));
    }
    Ok(())
}
