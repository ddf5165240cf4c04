//! Our own verdict on a test, from the report of `cargo tracemalloc test`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::package::Package;
use crate::pair::{Kind, Pair};

/// The answer of our report for a test.
pub(crate) struct Ours {
    pub(crate) verdict: String,
    /// Bytes a run of what leaks, or, where nothing leaks, of all that grew.
    pub(crate) bytes: u64,
    /// Whether all that leaks was allocated at a place where it should be; `None` without a leak.
    pub(crate) place: Option<bool>,
    /// Whether what leaks is held by what should hold it; `None` where nothing should hold it.
    pub(crate) holder: Option<bool>,
}

impl Ours {
    pub(crate) fn is_leak(&self) -> bool {
        self.verdict == "leak"
    }
}

#[derive(Deserialize)]
pub(crate) struct Report {
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    tests: Vec<Test>,
}

#[derive(Deserialize)]
struct Test {
    name: String,
    outcome: String,
    verdict: Option<String>,
    growth: Vec<Growth>,
}

#[derive(Deserialize)]
struct Growth {
    kind: String,
    bytes: u64,
    retained: Option<String>,
    holder: Option<Holder>,
    traceback: Vec<Frame>,
}

#[derive(Deserialize)]
struct Holder {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Frame {
    function: String,
    file: String,
    line: u64,
}

/// Runs the package's tests, and reads the report.
pub(crate) fn judge(command: &Path, package: &Package) -> Result<Report> {
    let path = package.directory.join("report.json");
    let _ = std::fs::remove_file(&path);
    let output = Command::new(command)
        .args(["tracemalloc", "test", "--quiet", "--test", &package.name, "--report"])
        .arg(&path)
        .arg("--target-dir")
        .arg(package.target.join("ours"))
        .current_dir(&package.directory)
        .output()
        .with_context(|| format!("run {}", command.display()))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    let json = std::fs::read(&path).with_context(|| format!("read the report:\n{stderr}"))?;
    serde_json::from_slice(&json).context("parse the report")
}

/// The entry of the report for one test.
pub(crate) fn find(report: &Report, pair: &Pair, name: &str, lines: &[String]) -> Result<Ours> {
    let mut tests = report.targets.iter().flat_map(|target| &target.tests);
    let test = tests.find(|test| test.name == name).context("find the test in the report")?;
    let verdict = test.verdict.clone().unwrap_or_else(|| test.outcome.clone());
    let is_leak = verdict == "leak";
    let growth: Vec<&Growth> =
        test.growth.iter().filter(|growth| !is_leak || growth.kind == "leak").collect();
    let place = growth.iter().all(|growth| growth.is_at(&pair.place, lines));
    let holder = growth.iter().all(|growth| growth.is_held_by(pair.holder.as_deref()));
    Ok(Ours {
        bytes: growth.iter().map(|growth| growth.bytes).sum(),
        place: is_leak.then_some(place),
        holder: (is_leak && pair.kind == Kind::Held).then_some(holder),
        verdict,
    })
}

impl Growth {
    /// Whether a frame is on a marked line or in a named function.
    fn is_at(&self, functions: &[String], lines: &[String]) -> bool {
        self.traceback.iter().any(|frame| {
            let line = format!("{}:{}", frame.file, frame.line);
            lines.iter().any(|marked| line == format!("tests/{marked}"))
                || functions.iter().any(|function| frame.function.contains(function.as_str()))
        })
    }

    fn is_held_by(&self, name: Option<&str>) -> bool {
        let holder = self.holder.as_ref().and_then(|holder| holder.name.as_deref());
        self.retained.as_deref() == Some("held")
            && holder.zip(name).is_some_and(|(holder, name)| holder.contains(name))
    }
}
