//! LeakSanitizer's verdict on a test.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// The answer of a checker other than ours for a test.
pub(crate) struct Other {
    /// Bytes that it calls lost.
    pub(crate) bytes: u64,
    /// Whether all of them were allocated on a marked line; `None` without a leak.
    pub(crate) place: Option<bool>,
}

/// Runs one test in a process of its own, whose heap LeakSanitizer searches at its end.
pub(crate) fn judge(binary: &Path, test: &str, lines: &[String]) -> Result<Other> {
    let output = Command::new(binary)
        .args(["--exact", test, "--test-threads", "1"])
        .env("LSAN_OPTIONS", "fast_unwind_on_malloc=0")
        .output()
        .with_context(|| format!("run {}", binary.display()))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let summary = text.lines().find_map(|line| line.strip_prefix("SUMMARY: LeakSanitizer: "));
    let bytes = summary.and_then(|summary| summary.split(' ').next()?.parse().ok()).unwrap_or(0);
    // Each direct leak is a paragraph with its stack.
    let mut leaks = text.split("\n\n").filter(|paragraph| paragraph.contains("Direct leak of"));
    let place = leaks.all(|leak| lines.iter().any(|line| leak.contains(line)));
    Ok(Other { bytes, place: (bytes > 0).then_some(place) })
}
