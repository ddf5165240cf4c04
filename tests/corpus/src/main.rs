//! Judges pairs of published crate versions, of which one leaks, with three leak checkers.
//!
//! Prints a Markdown table of what each checker says, and precision and recall of each. Exits with
//! 1 when a test has another leak than `pairs.toml` says, or when our verdict is wrong.

mod cargo;
mod counted;
mod lsan;
mod ours;
mod package;
mod pair;
mod row;
mod score;
mod table;
mod valgrind;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::package::Package;
use crate::pair::{Pair, Version};
use crate::row::Row;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("corpus: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Judges the pairs that the arguments name, or all. Returns whether every verdict is right.
fn run() -> Result<bool> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scratch: PathBuf = directory("CORPUS_DIR")?;
    let command: PathBuf = directory("CORPUS_COMMAND")?;
    let pairs = pair::load(&corpus.join("pairs.toml"))?;
    for name in &wanted {
        if !pairs.iter().any(|pair| pair.name == *name) {
            bail!("no pair called {name:?} is listed in tests/corpus/pairs.toml");
        }
    }

    // All packages are written first, so that sources may change while they run.
    let mut packages = Vec::new();
    for pair in pairs.iter().filter(|pair| wanted.is_empty() || wanted.contains(&pair.name)) {
        for version in [Version::Bad, Version::Good] {
            packages.push((pair, Package::write(corpus, &scratch, pair, version)?));
        }
    }
    let (mut rows, mut failed) = (Vec::new(), false);
    println!("{}", row::HEADER);
    for (pair, package) in &packages {
        match judge(pair, package, &command) {
            Ok(judged) => {
                judged.iter().for_each(|row| println!("{row}"));
                rows.extend(judged);
            }
            Err(error) => {
                eprintln!("corpus: judge {} {}: {error:#}", pair.name, package.version.word());
                failed = true;
            }
        }
    }
    println!("\n{}\n{}", table::of_pairs(&rows), score::table(&rows));
    for row in rows.iter().filter(|row| !row.is_confirmed()) {
        println!("not confirmed: {row}");
    }
    Ok(!failed && rows.iter().all(|row| row.is_confirmed() && row.is_right()))
}

/// The rows of one version of a pair: one for each of its tests.
fn judge(pair: &Pair, package: &Package, command: &Path) -> Result<Vec<Row>> {
    let plain = cargo::build_plain(package)?;
    let sanitized = cargo::build_sanitized(package)?;
    let verdicts = ours::judge(command, package)?;
    let mut rows = Vec::new();
    for test in cargo::list_tests(&plain.tests)? {
        let leak = package.version == Version::Bad && test == pair.name;
        rows.push(Row {
            pair: pair.clone(),
            version: package.version,
            counted: counted::bytes_a_round(&plain.rounds, &test)?,
            ours: ours::find(&verdicts, pair, &test, &package.marked_lines)?,
            lsan: lsan::judge(&sanitized, &test, &package.marked_lines)?,
            valgrind: valgrind::judge(&plain.tests, &test, &package.marked_lines)?,
            test,
            leak,
        });
    }
    Ok(rows)
}

/// A directory or file that `ci/corpus.sh` passes in the environment.
fn directory(variable: &str) -> Result<PathBuf> {
    let value = std::env::var_os(variable);
    value.map(PathBuf::from).with_context(|| format!("{variable} is not set; run ci/corpus.sh"))
}
