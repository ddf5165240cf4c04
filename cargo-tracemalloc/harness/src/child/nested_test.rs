//! A single test that a traced test has started.
//!
//! A test that starts its own binary wants to see how it ends: its exit code, its signal, its
//! output. So the requested test runs in this process, once. If it is the same test, blocks that
//! nothing points to when its body returns make it leak. A body that exits is not judged: the crate
//! rusty-fork calls `exit` there. This module parses the options that such tests use. The front
//! parses all of libtest's options, and runs the test in one more process.

use std::fmt;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::time::Instant;

use tracemalloc::internal::judge::GrowthKind;

use crate::child::child_assignment::{Assignment, clean_environment};
use crate::child::test::Test;
use crate::child::test_process;
use crate::protocol::entry_slots::Slot;
use crate::protocol::process_role::{FAILED, ProcessRole};
use crate::protocol::test_entry::{GrowthEntry, Outcome, Retained, RunEntry, TestEntry};

/// The test selection from the arguments.
#[derive(Debug, Default, PartialEq, Eq)]
struct Request {
    names: Vec<String>,
    exact: bool,
    ignored: bool,
    include_ignored: bool,
    exclude_should_panic: bool,
    quiet: bool,
}

/// The test that the arguments request by its exact name, and whether the output is quiet. `None`
/// if the front has to run the tests.
pub fn requested(tests: &[Test], arguments: impl Iterator<Item = String>) -> Option<(Test, bool)> {
    let request = Request::parse(arguments)?;
    let mut selected =
        tests.iter().filter(|test| request.names.iter().any(|name| name == test.name));
    let (Some(test), None) = (selected.next(), selected.next()) else { return None };
    let is_excluded = request.exclude_should_panic && test.should_panic();
    let runs = !is_excluded && (request.include_ignored || test.ignored == request.ignored);
    (request.exact && runs).then_some((*test, request.quiet))
}

impl Request {
    /// `None` if there is an option that the front has to understand.
    fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let mut request = Self::default();
        while let Some(argument) = arguments.next() {
            let (option, value) = match argument.split_once('=') {
                Some((option, value)) if option.starts_with("--") => {
                    (option, Some(value.to_owned()))
                }
                _ => (argument.as_str(), None),
            };
            match (option, value) {
                // All that follows are names.
                ("--", None) => {
                    request.names.extend(arguments);
                    break;
                }
                ("--exact", None) => request.exact = true,
                ("--ignored", None) => request.ignored = true,
                ("--include-ignored", None) => request.include_ignored = true,
                ("-q" | "--quiet", None) => request.quiet = true,
                ("--exclude-should-panic", None) => request.exclude_should_panic = true,
                // This process captures nothing, and one test needs one process.
                (
                    "--nocapture"
                    | "--no-capture"
                    | "--show-output"
                    | "--test"
                    | "--force-run-in-process",
                    None,
                ) => {}
                // One test needs one thread.
                ("--test-threads", value) => {
                    let number = value.or_else(|| arguments.next())?;
                    let _: NonZeroUsize = number.parse().ok()?;
                }
                // No colours are printed, and no unstable option is needed.
                ("--color" | "-Z", value) => {
                    value.or_else(|| arguments.next())?;
                }
                _ if argument.starts_with("-Z") => {}
                _ if argument.starts_with('-') => return None,
                _ => request.names.push(argument),
            }
        }
        Some(request)
    }
}

/// Runs the test, prints libtest's output, and returns the exit code. `role` is that of this
/// process.
pub fn run(role: &ProcessRole, test: Test, of: usize, quiet: bool) -> i32 {
    let (session, entry_file) = role.of_nested(test.name).unzip();
    clean_environment();
    let started = Instant::now();
    print(format_args!("\nrunning 1 test\n"));
    if !quiet {
        print(format_args!("test {} ... ", test.name));
    }
    let assignment = Assignment { session, entry_file: None, programs: None };
    let entry = test_process::run(test, &assignment);
    let failed = entry.outcome == Outcome::Failed;
    if let (Some(file), Some(lost)) = (entry_file, lost(&entry)) {
        // Without a file the test is judged as if it had started any other program.
        let _ = file.try_write(Slot::Last, &lost);
    }
    match (quiet, failed) {
        (false, false) => print(format_args!("ok\n")),
        (false, true) => print(format_args!("FAILED\n")),
        (true, false) => print(format_args!(".")),
        (true, true) => print(format_args!("F")),
    }
    if failed {
        let message = entry.message.as_deref().unwrap_or("failed");
        print(format_args!(
            "\nfailures:\n\n---- {0} ----\n{message}\n\n\n\nfailures:\n    {0}\n",
            test.name
        ));
    }
    print(format_args!(
        "\ntest result: {}. {} passed; {} failed; 0 ignored; 0 measured; {} filtered out; finished in {:.2}s\n\n",
        if failed { "FAILED" } else { "ok" },
        u8::from(!failed),
        u8::from(failed),
        of - 1,
        started.elapsed().as_secs_f64(),
    ));
    if failed { FAILED } else { 0 }
}

/// The entry with blocks that nothing points to alone: what is held at the end of a process may be
/// meant to stay. `None` if there are none.
fn lost(entry: &TestEntry) -> Option<TestEntry> {
    let is_lost = |growth: &&GrowthEntry| {
        growth.kind == GrowthKind::Leak && growth.retained == Some(Retained::Lost)
    };
    let growth: Vec<GrowthEntry> = entry.growth.iter().filter(is_lost).cloned().collect();
    let sum = |of: fn(&GrowthEntry) -> u64| growth.iter().map(of).sum();
    let run = RunEntry { bytes: sum(|one| one.bytes), blocks: sum(|one| one.blocks) };
    let reason = "in a process that the test started, to run itself again".to_owned();
    (!growth.is_empty()).then(|| TestEntry {
        runs: vec![run],
        growth,
        verdict_reason: Some(reason),
        ..entry.clone()
    })
}

/// A closed stdout does not fail the test.
fn print(text: fmt::Arguments<'_>) {
    let mut stdout = std::io::stdout();
    let _closed = stdout.write_fmt(text).and_then(|()| stdout.flush());
}

#[cfg(test)]
mod tests {
    use super::Request;

    fn parse(line: &str) -> Option<Request> {
        Request::parse(line.split(' ').map(str::to_owned))
    }

    #[test]
    fn options_of_such_tests_are_parsed() {
        let names = || vec!["a::b".to_owned()];
        let exact = Request { names: names(), exact: true, ..Request::default() };
        assert_eq!(parse("--exact a::b --nocapture"), Some(exact));
        let ignored = Request {
            names: names(),
            exact: true,
            ignored: true,
            quiet: true,
            ..Request::default()
        };
        assert_eq!(parse("a::b --test-threads 1 --exact -q --ignored"), Some(ignored));
        // The crate rusty_fork, with what it passes on of its own arguments.
        let forked = Request {
            names: names(),
            exact: true,
            include_ignored: true,
            quiet: true,
            ..Request::default()
        };
        let passed_on = "--color auto -Z unstable-options --include-ignored";
        let own = "--quiet --test-threads 1 --nocapture --exact -- a::b";
        assert_eq!(parse(&format!("{passed_on} {own}")), Some(forked));
        let included = Request { names: names(), include_ignored: true, ..Request::default() };
        assert_eq!(parse("a::b --test-threads=1 --show-output --include-ignored"), Some(included));
    }

    #[test]
    fn all_other_options_are_left_to_the_front() {
        for line in [
            "--exact a --list",
            "a --format=json",
            "a --test-threads 0",
            "a --test-threads",
            "a --exact=1",
            "--bench --exact a",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
    }
}
