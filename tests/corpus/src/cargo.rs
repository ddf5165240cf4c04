//! Builds of a package, by cargo, and the tests in a test binary.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::package::Package;

/// The test binaries of a package.
pub(crate) struct Binaries {
    /// The pair's own tests.
    pub(crate) tests: PathBuf,
    /// The same under an allocator that counts.
    pub(crate) rounds: PathBuf,
}

#[derive(Deserialize)]
struct Message {
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Builds as `cargo test` does.
pub(crate) fn build_plain(package: &Package) -> Result<Binaries> {
    let (name, arguments) = (package.name.as_str(), ["--test", "rounds"]);
    let built = build(package, &[], &arguments, "", "plain")?;
    Ok(Binaries { tests: executable(&built, name)?, rounds: executable(&built, "rounds")? })
}

/// Builds with LeakSanitizer.
pub(crate) fn build_sanitized(package: &Package) -> Result<PathBuf> {
    let target = ["--target", "x86_64-unknown-linux-gnu"];
    let built = build(package, &["+nightly"], &target, "-Zsanitizer=leak", "lsan")?;
    executable(&built, &package.name)
}

fn build(
    package: &Package,
    toolchain: &[&str],
    arguments: &[&str],
    flags: &str,
    directory: &str,
) -> Result<Vec<Message>> {
    let output = Command::new("cargo")
        .args(toolchain)
        .args(["test", "--quiet", "--no-run", "--message-format", "json", "--test", &package.name])
        .args(arguments)
        .arg("--target-dir")
        .arg(package.target.join(directory))
        .env("RUSTFLAGS", flags)
        .current_dir(&package.directory)
        .output()
        .context("run cargo")?;
    if !output.status.success() {
        bail!("build {}:\n{}", package.directory.display(), errors(&output.stderr, &output.stdout));
    }
    let lines = output.stdout.split(|byte| *byte == b'\n');
    Ok(lines.filter_map(|line| serde_json::from_slice(line).ok()).collect())
}

/// The messages of cargo and the compiler about a failed build.
fn errors(stderr: &[u8], messages: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(stderr).into_owned();
    for line in messages.split(|byte| *byte == b'\n') {
        let message: Option<serde_json::Value> = serde_json::from_slice(line).ok();
        let rendered =
            message.and_then(|message| message["message"]["rendered"].as_str().map(String::from));
        text.extend(rendered.filter(|rendered| rendered.starts_with("error")));
    }
    text
}

fn executable(built: &[Message], name: &str) -> Result<PathBuf> {
    let of_name =
        |message: &&Message| message.target.as_ref().is_some_and(|target| target.name == name);
    let messages = built.iter().filter(of_name);
    messages
        .filter_map(|message| message.executable.clone())
        .next()
        .with_context(|| format!("find the test binary {name}"))
}

/// The names of a binary's tests.
pub(crate) fn list_tests(binary: &Path) -> Result<Vec<String>> {
    let output = Command::new(binary)
        .args(["--list", "--format", "terse"])
        .output()
        .with_context(|| format!("run {}", binary.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(String::from).collect())
}
