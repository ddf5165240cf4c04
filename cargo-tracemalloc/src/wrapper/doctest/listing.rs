//! The doctests that rustdoc would run, by a call that lists them.

use std::ffi::OsString;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Passes arguments on to the test harness in rustdoc.
const TEST_ARGS: &str = "--test-args";
/// The harness's options that only decide on its output. Those with a value are in [`VALUED`].
const FLAGS: [&str; 7] = [
    "-q",
    "--quiet",
    "--nocapture",
    "--no-capture",
    "--show-output",
    "--report-time",
    "--ensure-time",
];
/// The same, with a value in the next word or behind `=`.
const VALUED: [&str; 4] = ["--format", "--color", "--logfile", "-Z"];

/// A doctest that rustdoc lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doctest {
    /// Its name: `src/lib.rs - Cache (line 12)`.
    pub name: String,
    /// Whether it is marked `ignore`.
    pub ignored: bool,
}

/// Calls rustdoc. The list is empty if rustdoc fails, or does not know the options.
pub fn list(rustdoc: &mut Command, args: &[OsString]) -> Result<Vec<Doctest>> {
    let (own, harness) = split(args);
    rustdoc.args(own);
    for word in
        harness.iter().map(String::as_str).chain(["-Zunstable-options", "--format=json", "--list"])
    {
        rustdoc.arg(TEST_ARGS).arg(word);
    }
    let output = rustdoc
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .context("failed to list doctests with rustdoc")?;
    let listed = output.status.success();
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().filter(|_| listed).filter_map(doctest).collect())
}

/// Whether the user's arguments make rustdoc run the doctests. Otherwise it lists them, or only
/// compiles them.
pub fn runs(args: &[OsString]) -> bool {
    let other = ["--list", "--help", "-h"];
    !args.iter().any(|arg| arg == "--no-run")
        && !split(args).1.iter().any(|word| other.contains(&word.as_str()))
}

/// Whether ignored doctests run too.
pub fn includes_ignored(args: &[OsString]) -> bool {
    split(args).1.iter().any(|word| word == "--ignored" || word == "--include-ignored")
}

/// The arguments for rustdoc itself, and those for the harness without those for its output.
fn split(args: &[OsString]) -> (Vec<OsString>, Vec<String>) {
    let (mut own, mut harness) = (Vec::new(), Vec::new());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let text = arg.to_string_lossy();
        let value = match text.strip_prefix(TEST_ARGS) {
            Some("") => args.next().map(|next| next.to_string_lossy().into_owned()),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned),
            None => None,
        };
        match value {
            Some(value) => harness.extend(value.split_whitespace().map(str::to_owned)),
            None => own.push(arg.clone()),
        }
    }
    (own, without_output_options(harness))
}

fn without_output_options(words: Vec<String>) -> Vec<String> {
    let mut kept = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        if VALUED.contains(&word.as_str()) {
            words.next();
            continue;
        }
        let name = word.split_once('=').map_or(word.as_str(), |(name, _)| name);
        if !FLAGS.contains(&name) && !VALUED.contains(&name) && !word.starts_with("-Z") {
            kept.push(word);
        }
    }
    kept
}

/// The doctest of a line of libtest's list.
fn doctest(line: &str) -> Option<Doctest> {
    let line: Value = serde_json::from_str(line).ok()?;
    let name = (line["type"] == "test").then(|| line["name"].as_str()).flatten()?.to_owned();
    Some(Doctest { name, ignored: line["ignore"] == true })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::{doctest, split};

    #[test]
    fn options_for_the_output_are_left_out() {
        let args = "--test src/lib.rs --test-args=-q --test-args --skip --test-args cache \
                    --test-args=--format=pretty --test-args --color --test-args always -L x";
        let args: Vec<OsString> = args.split_whitespace().map(OsString::from).collect();
        let (own, harness) = split(&args);
        assert_eq!(own, ["--test", "src/lib.rs", "-L", "x"]);
        assert_eq!(harness, ["--skip", "cache"]);
    }

    #[test]
    fn a_line_of_the_list_names_a_doctest() {
        let line = r#"{ "type": "test", "event": "discovered", "name": "src/lib.rs - f (line 2)",
                        "ignore": true, "start_line": 0 }"#;
        let found = doctest(line).unwrap();
        assert_eq!((found.name.as_str(), found.ignored), ("src/lib.rs - f (line 2)", true));
        assert_eq!(doctest(r#"{ "type": "suite", "event": "discovery" }"#), None);
    }
}
