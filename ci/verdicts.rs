//! Prints a report's verdicts a line each, for scripts: `leak demo cache::tests::forgets_the_oldest
//! 4096 bytes in 1 blocks`.
//!
//! Clean tests, and those without a verdict, are left out.

use std::{env, fs, process};

use serde::Deserialize;
use tracemalloc_harness::{GrowthKind, TestEntry, Verdict};

#[derive(Deserialize)]
struct Report {
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    tests: Vec<TestEntry>,
}

fn main() {
    let Some(path) = env::args_os().nth(1) else {
        eprintln!("usage: verdicts REPORT");
        process::exit(2);
    };
    let json = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let report: Report = serde_json::from_slice(&json).expect("it is a report");
    for target in &report.targets {
        for test in &target.tests {
            if let Some((verdict, growth)) = describe(test) {
                println!("{verdict} {} {} {growth}", target.name, test.name);
            }
        }
    }
}

/// The verdict, and what it is about.
fn describe(test: &TestEntry) -> Option<(&'static str, String)> {
    let verdict = match test.verdict? {
        Verdict::Clean => return None,
        Verdict::Once => "once",
        Verdict::Leak => "leak",
        Verdict::Known => "known",
        Verdict::Unconfirmed => "unconfirmed",
        Verdict::Skipped => "skipped",
    };
    let counts = |kind| test.verdict != Some(Verdict::Leak) || kind == GrowthKind::Leak;
    let growth: Vec<_> = test.growth.iter().filter(|growth| counts(growth.kind)).collect();
    let bytes: u64 = growth.iter().map(|growth| growth.bytes).sum();
    let blocks: u64 = growth.iter().map(|growth| growth.blocks).sum();
    Some((verdict, format!("{bytes} bytes in {blocks} blocks")))
}
