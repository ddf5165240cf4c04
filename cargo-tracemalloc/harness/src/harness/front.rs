//! The process that `cargo test` starts: lists the tests, runs each in a process of its own, prints what libtest would.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use libtest_mimic::{Completion, Conclusion, Failed, Trial};

use crate::harness::arguments::Arguments;
use crate::harness::child;
use crate::harness::fragment;
use crate::harness::judged;
use crate::harness::placement::{Assignment, Placement, clean_environment, fail};
use crate::harness::process::{self, Ended, Output, Timeout};
use crate::harness::scratch::Scratch;
use crate::harness::start::FAILED;
use crate::harness::test::Test;
use crate::{Outcome, Session, TestEntry, Verdict};

/// What the trials share.
struct Shared {
    placement: Placement,
    capture: bool,
    show_output: bool,
    session: Option<Session>,
    package: String,
    fragments: PathBuf,
    shown: Mutex<Vec<(String, String)>>,
}

/// Runs or lists the tests that were asked for, and returns the exit code of the process.
pub fn run(arguments: &Arguments, placement: Placement, mut tests: Vec<Test>) -> i32 {
    if arguments.exclude_should_panic {
        tests.retain(|test| !test.should_panic());
    }
    let left_out: Vec<String> =
        tests.iter().map(|test| test.name).filter(|name| !arguments.selects(name)).map(str::to_owned).collect();
    let selected = tests.len() - left_out.len();
    let for_libtest_mimic = arguments.for_libtest_mimic(left_out);
    let conclusion = if arguments.list {
        if placement.reports_to().is_some() {
            // nextest asks for a list first, and then runs no ignored test.
            note_ignored(arguments, &tests, &write_target(&placement));
        }
        let trials = tests.iter().map(|test| trial(*test, || Ok(Completion::Completed))).collect();
        libtest_mimic::run(&for_libtest_mimic, trials)
    } else {
        let fragments = write_target(&placement);
        let conclusion = if arguments.exact && selected == 1 && placement.is_inside() {
            run_here(arguments, for_libtest_mimic, &tests, &fragments)
        } else {
            run_in_children(arguments, &for_libtest_mimic, placement, tests, &fragments)
        };
        fragment::remove_if_temporary(&fragments);
        conclusion
    };
    if conclusion.has_failed() { FAILED } else { 0 }
}

/// Makes the directory for fragments, with the note of what this binary was built from.
fn write_target(placement: &Placement) -> PathBuf {
    let fragments = fragment::directory(placement.reports_to());
    if let Err(error) = fragment::write_target(&fragments) {
        fail(&format!("write to {fragments:?}: {error}"));
    }
    fragments
}

/// Runs the one test that is selected in this process, judges nothing, and prints what libtest would.
fn run_here(
    arguments: &Arguments,
    mut for_libtest_mimic: libtest_mimic::Arguments,
    tests: &[Test],
    fragments: &Path,
) -> Conclusion {
    for_libtest_mimic.test_threads = Some(1);
    clean_environment();
    let trials = tests.iter().enumerate().map(|(number, test)| {
        let test = *test;
        let fragment = fragment::of_test(fragments, number);
        trial_or_reason(arguments, test, move || {
            let entry = child::run(test, &Assignment { session: None, fragment });
            conclude(&entry, &[], String::new())
        })
    });
    libtest_mimic::run(&for_libtest_mimic, trials.collect())
}

fn run_in_children(
    arguments: &Arguments,
    for_libtest_mimic: &libtest_mimic::Arguments,
    placement: Placement,
    mut tests: Vec<Test>,
    fragments: &Path,
) -> Conclusion {
    if let Some(seed) = arguments.seed() {
        println!("shuffle seed: {seed}");
        shuffle(&mut tests, seed);
    }
    note_ignored(arguments, &tests, fragments);
    let shared = Arc::new(Shared {
        capture: !arguments.nocapture,
        show_output: arguments.show_output,
        session: placement.session(),
        package: fragment::target_of_this_binary().package,
        fragments: fragments.to_owned(),
        shown: Mutex::new(Vec::new()),
        placement,
    });
    let trials = tests.into_iter().enumerate().map(|(number, test)| {
        let shared = Arc::clone(&shared);
        trial_or_reason(arguments, test, move || shared.run(test, number))
    });
    let conclusion = libtest_mimic::run(for_libtest_mimic, trials.collect());
    shared.print_shown();
    conclusion
}

/// Leaves fragments for what is ignored: no child will.
fn note_ignored(arguments: &Arguments, tests: &[Test], fragments: &Path) {
    if arguments.ignored || arguments.include_ignored {
        return;
    }
    for (number, test) in tests.iter().enumerate() {
        if test.ignored && arguments.selects(test.name) {
            let entry = TestEntry {
                outcome: Outcome::Ignored,
                message: test.ignore_message.map(str::to_owned),
                ..TestEntry::new(test.name)
            };
            if let Err(error) = fragment::write(&fragment::of_test(fragments, number), &entry) {
                fail(&format!("write to {fragments:?}: {error}"));
            }
        }
    }
}

impl Shared {
    /// Runs one test in a child, and leaves its fragment whatever became of the child.
    fn run(&self, test: Test, number: usize) -> Result<Completion, Failed> {
        let fragment_path = fragment::of_test(&self.fragments, number);
        fragment::remove(&fragment_path).map_err(|error| format!("could not remove {fragment_path:?}: {error}"))?;
        let output = if self.capture {
            Output::captured(&self.fragments.join(format!("{number}.out")))
        } else {
            Ok(Output::inherited())
        };
        let started = std::time::Instant::now();
        let ended = output.and_then(|mut output| {
            let mut child = std::process::Command::new(std::env::current_exe()?);
            child.args(std::env::args_os().skip(1));
            self.placement.prepare(&mut child, test.name, &fragment_path);
            let scratch = Scratch::make(number)?;
            scratch.give_to(&mut child);
            let first_is_over = || fragment_path.exists();
            let session = self.session.clone().map(|session| session.of_test(&self.package, test.name));
            let timeout = session.and_then(|session| {
                let first_run = Duration::from_secs_f64(session.timeout_seconds?);
                let all_runs = first_run * session.options.runs;
                Some(Timeout { first_run, all_runs, first_is_over: &first_is_over })
            });
            let ended = process::run(child, &mut output, timeout)?;
            Ok((ended, output.text(), scratch))
        });
        let (ended, printed, scratch) =
            ended.map_err(|error| format!("could not start the test's process: {error}"))?;
        let mut entry = entry_of(test, &fragment_path, &ended);
        entry.duration_seconds = started.elapsed().as_secs_f64();
        // A test that failed may have left something to look at.
        if entry.outcome != Outcome::Failed {
            scratch.remove();
        }
        fragment::write(&fragment_path, &entry)
            .map_err(|error| format!("could not write {fragment_path:?}: {error}"))?;
        if self.show_output && entry.outcome == Outcome::Passed && !printed.is_empty() {
            let mut shown = self.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            shown.push((test.name.to_owned(), printed.clone()));
        }
        conclude(&entry, &self.placement.fail_on(), printed)
    }

    /// What `--show-output` shows.
    fn print_shown(&self) {
        let mut shown = self.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        shown.sort();
        if !shown.is_empty() {
            println!("successes:\n");
            for (name, printed) in shown.iter() {
                println!("---- {name} stdout ----\n{printed}");
            }
        }
    }
}

/// A trial that runs the test, or, where it is ignored with a reason, one that says the reason.
fn trial_or_reason(
    arguments: &Arguments,
    test: Test,
    run: impl FnOnce() -> Result<Completion, Failed> + Send + 'static,
) -> Trial {
    match test.ignore_message {
        Some(why) if test.ignored && !arguments.ignored && !arguments.include_ignored => {
            Trial::ignorable_test(test.name, move || Ok(Completion::ignored_with(why)))
        }
        _ => trial(test, run),
    }
}

fn trial(test: Test, run: impl FnOnce() -> Result<Completion, Failed> + Send + 'static) -> Trial {
    if test.is_bench() {
        // Run once and never measured, so `--bench` has to be told some measurement.
        let measurement = libtest_mimic::Measurement { avg: 0, variance: 0 };
        Trial::bench(test.name, move |_test_mode| run().map(|_| Some(measurement))).with_ignored_flag(test.ignored)
    } else {
        Trial::ignorable_test(test.name, run).with_ignored_flag(test.ignored)
    }
}

/// What the child found, corrected by how it ended.
fn entry_of(test: Test, fragment_path: &Path, ended: &Ended) -> TestEntry {
    let found = fragment::read(fragment_path);
    match (found, ended) {
        (Some(entry), Ended::Code(0 | FAILED)) => entry,
        // The first run was over and had passed; what ended the process was a repeated one. What was lost by then is a leak.
        (Some(entry), ended)
            if matches!(entry.verdict, Some(Verdict::Unconfirmed | Verdict::Leak))
                && entry.verdict_reason.is_some() =>
        {
            TestEntry { verdict_reason: Some(format!("a repeated run ended its process, which {ended}")), ..entry }
        }
        (Some(entry), ended) if entry.outcome == Outcome::Passed => {
            TestEntry::failed(test.name, format!("the test passed, but its process {ended}"))
        }
        (Some(entry), _) => entry,
        (None, ended @ Ended::Code(_)) => {
            TestEntry::failed(test.name, format!("the test's process {ended} before the test was over"))
        }
        (None, ended) => TestEntry::failed(test.name, format!("the test's process {ended}")),
    }
}

/// What libtest-mimic has to print of it.
fn conclude(entry: &TestEntry, fail_on: &[Verdict], printed: String) -> Result<Completion, Failed> {
    if entry.outcome == Outcome::Failed {
        let message = entry.message.as_deref().unwrap_or("failed");
        // A panic has printed its message itself.
        let said = printed.contains(message.strip_prefix("panicked: ").unwrap_or(message));
        let text = if said { printed } else { format!("{printed}{message}\n") };
        return Err(Failed::from(text));
    }
    if entry.verdict.is_some_and(|verdict| fail_on.contains(&verdict)) {
        return Err(Failed::from(format!("{printed}{}", judged::leak_text(entry))));
    }
    Ok(Completion::Completed)
}

/// Fisher and Yates, with an xorshift generator: any order will do, as long as a seed gives the same again.
fn shuffle(tests: &mut [Test], seed: u64) {
    let mut state = seed | 1;
    for last in (1..tests.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        tests.swap(last, (state % (last as u64 + 1)) as usize);
    }
}
