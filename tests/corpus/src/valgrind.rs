//! Valgrind's verdict on a test.
//!
//! Blocks that are only possibly lost or still reachable are no leak here: libtest itself leaves
//! such blocks behind.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::lsan::Other;

/// Runs one test under memcheck.
pub(crate) fn judge(binary: &Path, test: &str, lines: &[String]) -> Result<Other> {
    let output = Command::new("valgrind")
        .args(["--leak-check=full", "--show-leak-kinds=definite,indirect", "--num-callers=60"])
        .arg(binary)
        .args(["--exact", test, "--test-threads", "1"])
        .output()
        .context("run valgrind")?;
    let text = String::from_utf8_lossy(&output.stderr);
    let bytes = of_summary(&text, "definitely lost: ") + of_summary(&text, "indirectly lost: ");
    // Lines are `==PID== TEXT`; an empty text ends a record.
    let bare: Vec<&str> =
        text.lines().map(|line| line.split_once("== ").map_or("", |(_, t)| t)).collect();
    let mut records = bare.split(|line| line.is_empty());
    let place = records
        .by_ref()
        .filter(|record| record.iter().any(|line| line.contains("definitely lost in")))
        .all(|record| {
            record.iter().any(|frame| lines.iter().any(|line| frame.contains(&format!("({line})"))))
        });
    Ok(Other { bytes, place: (bytes > 0).then_some(place) })
}

/// A number of bytes of the leak summary.
fn of_summary(text: &str, label: &str) -> u64 {
    let number = text.lines().find_map(|line| Some(line.split_once(label)?.1));
    let digits = number.map(|number| number.split(' ').next().unwrap_or("").replace(',', ""));
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}
