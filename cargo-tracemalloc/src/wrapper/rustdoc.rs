//! Runs doctests in place of rustdoc: makes rustdoc call this program as its compiler, and passes
//! on its output. Where doctests cannot be traced, counts them.

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Read, Write as _};
use std::process::{Command, ExitCode, Stdio};

use anstream::adapter::strip_str;
use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::util::exit_code::of_child;
use crate::util::private_env;
use crate::wrapper::config::Config;
use crate::wrapper::doctest::{self, Options, runs_doctests};

/// Counts of the doctests of one package.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct DoctestCounts {
    /// The package's name.
    pub package: String,
    /// Passed tests.
    pub passed: usize,
    /// Failed tests.
    pub failed: usize,
    /// Ignored tests.
    pub ignored: usize,
}

/// Calls rustdoc, and exits with its code.
pub fn run(config: &Config, args: &[OsString]) -> Result<ExitCode> {
    let mut rustdoc = Command::new(&config.rustdoc);
    rustdoc.args(args);
    let could_not_run = || format!("failed to run `{}`", config.rustdoc);
    if !args.iter().any(|arg| arg == "--test") {
        return Ok(of_child(rustdoc.status().with_context(could_not_run)?.code()));
    }
    let doctests = if runs_doctests(args) { Options::prepare(config, args)? } else { None };
    if let Some(doctests) = &doctests {
        doctests.prepare_rustdoc(&mut rustdoc, &doctests.write()?)?;
    }
    let chosen = args.iter().any(|arg| arg.to_string_lossy().contains("--color="));
    if io::stdout().is_terminal() && !chosen && env::var_os("NO_COLOR").is_none() {
        // rustdoc's stdout is a pipe now, and no terminal.
        rustdoc.arg("--test-args=--color=always");
    }
    let mut child = rustdoc.stdout(Stdio::piped()).spawn().with_context(could_not_run)?;
    let printed = child
        .stdout
        .take()
        .map(pass_on)
        .transpose()
        .context("failed to read what rustdoc prints")?;
    let status = child.wait().with_context(could_not_run)?;
    let printed = printed.unwrap_or_default();
    if let Some(doctests) = doctests {
        doctest::write_results(&doctests, args, &strip_str(&printed).to_string())?;
        return Ok(of_child(status.code()));
    }
    let package = env::var(private_env::PACKAGE_NAME).unwrap_or_default();
    let counts = DoctestCounts { package, ..count(&printed) };
    fs_err::create_dir_all(&config.doctests)?;
    let path = config.doctests.join(std::process::id().to_string());
    crate::util::file::write_atomically(&path, &serde_json::to_vec(&counts)?)?;
    Ok(of_child(status.code()))
}

/// Copies the output to stdout at once, and returns all of it.
fn pass_on(mut from: impl Read) -> io::Result<String> {
    let (mut all, mut buffer, mut stdout) = (Vec::new(), [0; 4096], io::stdout());
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return Ok(String::from_utf8_lossy(&all).into_owned());
        }
        all.extend_from_slice(&buffer[..read]);
        // A closed stdout is no error.
        let _closed = stdout.write_all(&buffer[..read]).and_then(|()| stdout.flush());
    }
}

/// Sums up the lines `test result: ok. 5 passed; 0 failed; 2 ignored; ...`. rustdoc runs doctests
/// in several rounds.
fn count(printed: &str) -> DoctestCounts {
    let mut counts = DoctestCounts::default();
    let printed = strip_str(printed).to_string();
    for result in printed.lines().filter_map(|line| line.strip_prefix("test result: ")) {
        for part in result.split([';', '.']) {
            let mut words = part.split_whitespace();
            let number =
                words.next().and_then(|word| word.parse::<usize>().ok()).unwrap_or_default();
            match words.next() {
                Some("passed") => counts.passed += number,
                Some("failed") => counts.failed += number,
                Some("ignored") => counts.ignored += number,
                _ => {}
            }
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn results_are_summed_up() {
        let printed = "running 2 tests\ntest src/lib.rs - a (line 3) ... ok\n\n\
                       test result: ok. 1 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\n\
                       test result: \u{1b}[31mFAILED\u{1b}[m. 2 passed; 3 failed; 0 ignored; 0 measured; 9 filtered out\n";
        let counts = count(printed);
        assert_eq!((counts.passed, counts.failed, counts.ignored), (3, 3, 1));
    }
}
