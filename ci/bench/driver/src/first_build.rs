//! The first build of the injected code, which every new user waits for, beside the build of a
//! small program with common dependencies.

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use camino::Utf8Path;
use fs_err as fs;

use crate::build;
use crate::results::{Comparison, Group, Row};

const ROUNDS: usize = 3;
/// As a multiple of the program's build.
const GOAL: f64 = 1.2;
const BASELINE: &str = "clap and backtrace";

/// Measures both in turn.
pub fn measure(directory: &Utf8Path) -> Result<Vec<Row>> {
    let command = build::our_command(directory)?;
    eprintln!("bench: first-build");
    let mut pairs = Vec::new();
    // The first round may load sources from the registry.
    for round in 0..=ROUNDS {
        let scratch = tempfile::tempdir().context("failed to make a temporary directory")?;
        let scratch =
            Utf8Path::from_path(scratch.path()).context("the temporary directory is not UTF-8")?;
        let small =
            package(scratch, "small", "clap = \"4\"\nbacktrace = \"0.3\"\n", "fn main() {}\n")?;
        let trivial = package(scratch, "trivial", "", "#[test]\nfn passes() {}\nfn main() {}\n")?;
        let baseline = seconds(Command::new("cargo").arg("build").current_dir(small))?;
        let ours = || {
            let mut ours = Command::new(&command);
            ours.args(["tracemalloc", "test", "--no-run"]).current_dir(&trivial);
            seconds(ours.env("TRACEMALLOC_CACHE_DIR", scratch.join("cache")))
        };
        let with_runtime = ours()?;
        // Now the runtime is there, and the crate itself is built once more.
        fs::remove_dir_all(trivial.join("target"))?;
        let without = ours()?;
        if round > 0 {
            pairs.push((baseline, with_runtime - without));
        }
    }
    let mut row =
        Row::new(Group::FirstBuild, "first build", "ours", BASELINE, Comparison::Ratio, &pairs)?;
    row.what = "the injected code, without the tested crate itself".to_owned();
    row.by_wall = true;
    row.goal = Some(GOAL);
    Ok(vec![row])
}

fn package(
    scratch: &Utf8Path,
    name: &str,
    dependencies: &str,
    main: &str,
) -> Result<camino::Utf8PathBuf> {
    let directory = scratch.join(name);
    fs::create_dir_all(directory.join("src"))?;
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}\n[workspace]\n"
    );
    fs::write(directory.join("Cargo.toml"), manifest)?;
    fs::write(directory.join("src/main.rs"), main)?;
    Ok(directory)
}

/// The seconds that a command takes, which has to end well.
fn seconds(command: &mut Command) -> Result<f64> {
    let started = Instant::now();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("failed to start {command:?}"))?;
    let seconds = started.elapsed().as_secs_f64();
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} ended with {}:\n{stderr}", output.status);
    Ok(seconds)
}
