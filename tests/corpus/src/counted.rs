//! The bytes that a test leaves behind in each round, by a counting allocator.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// Runs the `rounds` target for one test.
pub(crate) fn bytes_a_round(binary: &Path, test: &str) -> Result<i64> {
    let output = Command::new(binary)
        .args(["--exact", "rounds", "--nocapture", "--test-threads", "1"])
        .env("CORPUS_TEST", test)
        .output()
        .with_context(|| format!("run {}", binary.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .find_map(|line| line.split_once("bytes a round: "))
        .and_then(|(_, number)| number.trim().parse().ok())
        .with_context(|| format!("read the count of {}:\n{text}", binary.display()))
}
