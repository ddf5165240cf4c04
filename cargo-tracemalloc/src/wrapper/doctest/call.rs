//! A call of rustc by rustdoc, for one doctest or for many.

use std::env;
use std::ffi::OsString;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;

/// The variable with the file of a single doctest. rustdoc sets it.
const PATH_VAR: &str = "UNSTABLE_RUSTDOC_TEST_PATH";
/// The variable with its line, less the number of lines that rustdoc has added before it.
const LINE_VAR: &str = "UNSTABLE_RUSTDOC_TEST_LINE";
/// The name of the crate and of the source file of merged doctests.
const BUNDLE: &str = "doctest_bundle_";

/// A call of rustc.
#[derive(Debug)]
pub struct DoctestCall {
    /// The arguments, without response files and without the option that this program added.
    pub args: Vec<OsString>,
    /// The subject of the call.
    pub subject: Subject,
}

/// The subject of a call.
#[derive(Debug, PartialEq, Eq)]
pub enum Subject {
    /// One doctest, whose code comes from stdin.
    Single {
        /// The user's file.
        path: String,
        /// Its line, less the number of added lines.
        line: i64,
        /// The binary; `None` if the doctest is only checked.
        binary: Option<Utf8PathBuf>,
    },
    /// The code of merged doctests, as a library.
    Bundle,
    /// The binary of merged doctests.
    Runner {
        /// Its source.
        source: Utf8PathBuf,
        /// The source of the doctests themselves.
        bundle: Utf8PathBuf,
        /// The binary.
        binary: Utf8PathBuf,
    },
}

impl DoctestCall {
    /// Parses the arguments for rustc; `None` if it is not rustdoc's call.
    pub fn parse(args: &[OsString]) -> Result<Option<Self>> {
        let args = expand(args)?;
        let words: Vec<String> =
            args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
        let place = env::var(PATH_VAR).ok().zip(env::var(LINE_VAR).ok());
        Ok(subject(&words, place).map(|subject| Self { args, subject }))
    }
}

fn subject(words: &[String], place: Option<(String, String)>) -> Option<Subject> {
    let binary = words.iter().position(|word| word == "-o").and_then(|at| words.get(at + 1));
    let binary = binary.map(Utf8PathBuf::from);
    let sources = || words.iter().filter(|word| word.ends_with(".rs"));
    let file_name = |word: &String| Utf8Path::new(word).file_name().unwrap_or_default().to_owned();
    if sources().any(|word| file_name(word).starts_with(BUNDLE)) {
        return Some(Subject::Bundle);
    }
    let start = format!("--extern={BUNDLE}");
    if let Some(edition) = words.iter().find_map(|word| word.strip_prefix(&start)) {
        let (edition, _) = edition.split_once('=')?;
        let (source, binary) = (Utf8PathBuf::from(sources().next()?), binary?);
        let bundle = source.with_file_name(format!("{BUNDLE}{edition}.rs"));
        return Some(Subject::Runner { source, bundle, binary });
    }
    let (path, line) = place?;
    let line = line.parse().ok().filter(|_| words.last().is_some_and(|word| word == "-"))?;
    let is_checked = words.iter().any(|word| word == "--emit=metadata");
    Some(Subject::Single { path, line, binary: binary.filter(|_| !is_checked) })
}

/// The arguments with those in response files, without one `-Zunstable-options` there. rustdoc
/// passes on the one that this program has given it.
fn expand(args: &[OsString]) -> Result<Vec<OsString>> {
    let mut expanded = Vec::new();
    for arg in args {
        let Some(path) = arg.to_str().and_then(|arg| arg.strip_prefix('@')) else {
            expanded.push(arg.clone());
            continue;
        };
        let text = fs::read_to_string(path).context("failed to read rustdoc's arguments")?;
        let mut lines: Vec<&str> = text.lines().collect();
        if let Some(ours) = lines.iter().position(|line| *line == "-Zunstable-options") {
            lines.remove(ours);
        }
        expanded.extend(lines.into_iter().map(OsString::from));
    }
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::{Subject, subject};

    fn of(line: &str, is_single: bool) -> Option<Subject> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        subject(&words, is_single.then(|| ("src/lib.rs".to_owned(), "-1".to_owned())))
    }

    #[test]
    fn the_calls_of_rustdoc_are_told_apart() {
        let path = "src/lib.rs".to_owned();
        let single =
            Subject::Single { path: path.clone(), line: -1, binary: Some("/t/rust_out".into()) };
        assert_eq!(of("--edition 2021 --crate-type=bin -o /t/rust_out -", true), Some(single));
        let checked = Subject::Single { path, line: -1, binary: None };
        assert_eq!(of("--emit=metadata --crate-type=bin -o /t/rust_out -", true), Some(checked));
        let bundle = "--crate-type=lib --out-dir /t /t/doctest_bundle_2024.rs";
        assert_eq!(of(bundle, false), Some(Subject::Bundle));
        let runner =
            "-o /t/rust_out --extern=doctest_bundle_2024=/t/libb.rlib /t/doctest_runner_2024.rs";
        let of_runner = Subject::Runner {
            source: "/t/doctest_runner_2024.rs".into(),
            bundle: "/t/doctest_bundle_2024.rs".into(),
            binary: "/t/rust_out".into(),
        };
        assert_eq!(of(runner, false), Some(of_runner));
        assert_eq!(of("--crate-name demo src/lib.rs", false), None);
    }
}
