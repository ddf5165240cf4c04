//! The package that is built for one version of a pair, in the scratch directory.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::pair::{Pair, Version};

/// Marks a line of a test that allocates what leaks: at its end, or alone on the line above.
const MARK: &str = "// leaks";

/// Calls a test again and again under an allocator that counts.
const ROUNDS: &str = include_str!("../rounds.rs");

/// A package with two test targets: the pair's own, and `rounds`.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: Version,
    pub(crate) directory: PathBuf,
    /// The target directories of all packages.
    pub(crate) target: PathBuf,
    /// Lines of `tests/NAME.rs` that allocate what leaks, as `NAME.rs:LINE`.
    pub(crate) marked_lines: Vec<String>,
}

impl Package {
    /// Writes the package, and leaves files that have not changed as they are.
    pub(crate) fn write(
        corpus: &Path,
        scratch: &Path,
        pair: &Pair,
        version: Version,
    ) -> Result<Self> {
        let source = corpus.join("pairs").join(&pair.name).with_extension("rs");
        let test =
            fs::read_to_string(&source).with_context(|| format!("read {}", source.display()))?;
        let directory = scratch.join(&pair.name).join(version.word());
        update(&directory.join("Cargo.toml"), &manifest(pair, version))?;
        update(&directory.join("src/lib.rs"), "")?;
        update(&directory.join("tests").join(format!("{}.rs", pair.name)), &test)?;
        update(&directory.join("tests/rounds.rs"), &rounds(pair, &test))?;
        let marked = test.lines().zip(1..).filter(|(line, _)| line.ends_with(MARK));
        let line_of = |(line, number): (&str, usize)| number + usize::from(line.trim() == MARK);
        Ok(Package {
            name: pair.name.clone(),
            version,
            directory,
            target: scratch.join("target"),
            marked_lines: marked
                .map(|marked| format!("{}.rs:{}", pair.name, line_of(marked)))
                .collect(),
        })
    }
}

/// The `rounds` target, with the test functions of the pair in its list.
fn rounds(pair: &Pair, test: &str) -> String {
    let functions =
        test.lines().filter_map(|line| line.strip_prefix("pub fn ")?.strip_suffix("() {"));
    let entries: Vec<String> =
        functions.map(|name| format!("(\"{name}\", pair::{name})")).collect();
    ROUNDS.replace("PAIR", &pair.name).replace("TESTS", &format!("[{}]", entries.join(", ")))
}

/// The manifest of a package.
fn manifest(pair: &Pair, version: Version) -> String {
    let mut text = format!(
        "[package]\nname = \"{}-{}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [features]\n{}bad = []\n\n[dependencies]\n{} = {{ version = \"={}\"",
        pair.name,
        version.word(),
        if version == Version::Bad { "default = [\"bad\"]\n" } else { "" },
        pair.krate,
        pair.number(version),
    );
    if let Some(features) = &pair.features {
        let _ = write!(text, ", default-features = false, features = {features:?}");
    }
    text.push_str(" }\n");
    for (name, requirement) in &pair.with {
        let _ = writeln!(text, "{name} = {}", of_version(requirement, version));
    }
    text
}

/// The part of a requirement that is for this version.
fn of_version(requirement: &str, version: Version) -> String {
    let prefix = format!("{}:", version.word());
    let part = requirement.split(' ').find_map(|part| part.strip_prefix(&prefix));
    match part {
        Some(part) => format!("{part:?}"),
        None if requirement.starts_with('{') => requirement.to_owned(),
        None => format!("{requirement:?}"),
    }
}

/// Writes a file whose text has changed.
fn update(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let directory = path.parent().context("a file is in a directory")?;
    fs::create_dir_all(directory).with_context(|| format!("create {}", directory.display()))?;
    fs::write(path, text).with_context(|| format!("write {}", path.display()))
}
