//! Whole test suites of published crates, under each way of running them: built before, wall time.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

use crate::build;
use crate::peer::OURS;
use crate::results::{Comparison, Group, Row};

/// A suite, and what it may cost at most as a multiple of `cargo nextest run`.
pub const SUITES: [(&str, Option<f64>); 3] =
    [("regex-automata", Some(1.15)), ("rayon", Some(1.3)), ("serde_json", None)];

/// A way of running a suite.
struct Runner {
    name: &'static str,
    /// The command, to which a suite's selection is added; `COMMAND` is ours.
    words: &'static [&'static str],
    rounds: usize,
    /// The exit codes that it may have.
    exit_codes: &'static [i32],
}

/// The words of the one that the others are compared with.
const BASELINE: Runner =
    Runner { name: "nextest", words: &["cargo", "nextest", "run"], rounds: 3, exit_codes: &[0] };

const RUNNERS: [Runner; 4] = [
    // It ends with 102 where a test leaks, and one of rayon's does.
    Runner {
        name: OURS.name,
        words: &["COMMAND", "tracemalloc", "test"],
        exit_codes: &[0, 102],
        ..BASELINE
    },
    Runner {
        name: "ours, nextest",
        words: &["COMMAND", "tracemalloc", "nextest", "run"],
        exit_codes: &[0, 102],
        ..BASELINE
    },
    Runner { name: "cargo test", words: &["cargo", "test"], ..BASELINE },
    Runner {
        name: "memcheck",
        // The runner is that of `cargo valgrind test`.
        words: &[
            "timeout",
            LIMIT,
            "cargo",
            "test",
            "--no-fail-fast",
            "--config",
            "target.'cfg(all())'.runner = 'valgrind --quiet --leak-check=full --num-callers=16 --fair-sched=yes'",
        ],
        rounds: 1,
        // A test may fail because it is slow, and `timeout` ends with 124.
        exit_codes: &[0, 101, CUT_OFF],
    },
];

/// Seconds after which memcheck has taken too long.
const LIMIT: &str = "900";
/// The exit code of `timeout` when the time is over.
const CUT_OFF: i32 = 124;

/// A published crate.
struct Suite {
    name: String,
    directory: Utf8PathBuf,
    selection: Vec<String>,
}

/// Measures one of the suites. In each round every runner runs once.
pub fn measure((name, goal): (&str, Option<f64>), directory: &Utf8Path) -> Result<Vec<Row>> {
    let command = build::our_command(directory)?;
    let suite = unpacked(name, directory)?;
    eprintln!("bench: building the tests of {name}");
    suite.run(&BASELINE, &command, directory, true)?;
    suite.run(&RUNNERS[0], &command, directory, true)?;
    eprintln!("bench: running the tests of {name}");
    let mut pairs = RUNNERS.map(|_| Vec::new());
    let mut notes = RUNNERS.map(|_| None);
    for round in 0..BASELINE.rounds {
        let (baseline, _) = suite.run(&BASELINE, &command, directory, false)?;
        for (number, runner) in
            RUNNERS.iter().enumerate().filter(|(_, runner)| round < runner.rounds)
        {
            let (seconds, code) = suite.run(runner, &command, directory, false)?;
            pairs[number].push((baseline, seconds));
            notes[number] = note(code);
        }
    }
    let rows = RUNNERS.iter().zip(&pairs).zip(notes).map(|((runner, pairs), note)| {
        let mut row =
            Row::new(Group::Suite, name, runner.name, BASELINE.name, Comparison::Ratio, pairs)?;
        row.what = format!("cargo test {}", suite.selection.join(" "));
        row.by_wall = true;
        row.goal = goal.filter(|_| runner.name == OURS.name);
        row.note = note;
        Ok(row)
    });
    rows.collect()
}

/// The remark in a table for an exit code.
fn note(code: i32) -> Option<String> {
    match code {
        CUT_OFF => Some(format!("stopped after {LIMIT} s")),
        101 => Some("tests failed".to_owned()),
        _ => None,
    }
}

/// The sources of a crate, and what of it to test.
fn unpacked(name: &str, directory: &Utf8Path) -> Result<Suite> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../real-crates.sh");
    let output = Command::new(script)
        .args(["--unpack", name])
        .env("REAL_CRATES_DIR", directory.join("suites"))
        .output()
        .with_context(|| format!("failed to start {script}"))?;
    ensure!(
        output.status.success(),
        "{script} failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let line = String::from_utf8(output.stdout)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (Some(name), Some(sources)) = (words.next(), words.next()) else {
        anyhow::bail!("{script} did not say where it has put {name}");
    };
    Ok(Suite { name, directory: sources.into(), selection: words.collect() })
}

impl Suite {
    /// Runs it, or only builds it. Returns seconds and exit code.
    fn run(
        &self,
        runner: &Runner,
        ours: &Utf8Path,
        directory: &Utf8Path,
        builds: bool,
    ) -> Result<(f64, i32)> {
        let mut words =
            runner.words.iter().map(|word| if *word == "COMMAND" { ours.as_str() } else { word });
        let mut command = Command::new(words.next().context("a runner has words")?);
        command.args(words).args(builds.then_some("--no-run")).args(&self.selection);
        command.env("CARGO_TARGET_DIR", directory.join("suites/target"));
        let log =
            directory.join(format!("suites/{}.{}.log", self.name, runner.name.replace(' ', "-")));
        let file = fs::File::create(&log)?;
        command
            .current_dir(&self.directory)
            .stdout(file.file().try_clone()?)
            .stderr(file.into_file());
        let started = Instant::now();
        let status = command.status().with_context(|| format!("failed to start {command:?}"))?;
        let seconds = started.elapsed().as_secs_f64();
        let code =
            status.code().with_context(|| format!("{command:?} ended with {status}, see {log}"))?;
        ensure!(runner.exit_codes.contains(&code), "{command:?} ended with {status}, see {log}");
        Ok((seconds, code))
    }
}
