//! One process that is measured.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use bench_workloads::{FIGURE, PROCESSOR};

/// The result of one process.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// The figure that the workload prints.
    pub figure: f64,
    /// Seconds on a processor in that part, of a process that tells them.
    pub processor: Option<f64>,
    /// Seconds from the start of the process to its end.
    pub wall: f64,
}

/// Runs a workload's process, and reads its figure.
pub fn run(command: &mut Command) -> Result<Run> {
    let started = Instant::now();
    let output = command.output().with_context(|| format!("failed to start {command:?}"))?;
    let wall = started.elapsed().as_secs_f64();
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} ended with {}:\n{stderr}", output.status);
    let stdout = String::from_utf8_lossy(&output.stdout);
    let number = |label| stdout.lines().find_map(|line| line.strip_prefix(label)?.parse().ok());
    let figure = number(FIGURE)
        .with_context(|| format!("{command:?} printed no figure:\n{stdout}{stderr}"))?;
    Ok(Run { figure, processor: number(PROCESSOR), wall })
}
