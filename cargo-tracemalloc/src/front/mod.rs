//! The front of a test binary: lists its tests, runs each in a child process, prints libtest's
//! output.
//!
//! A test binary has no option parser and prints no results, because every user would have to
//! compile that code. It writes the list of its tests, and replaces itself by this program.

mod arguments;
mod gate;
mod junit;
mod known_ids;
mod process;
mod progress;
mod test_dir;

use std::env;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use fs_err as fs;
use libtest_mimic::{Completion, Conclusion, Failed, Trial};
use tracemalloc_harness::{
    FAILED, FRONT_VAR, ListedTest, Outcome, ProcessRole, Session, TEST_BINARY_VAR, TargetNote,
    TestEntry, TestList, Verdict, entry_slots, fragment, test_failure,
};

use crate::name_server::NameSocket;
use crate::util::private_dir::{self, PrivateDir};
use crate::util::terminal;
use arguments::{Arguments, Request};
use gate::{Gate, Ticket};
use junit::Junit;
use process::{Ended, Output, Timeout};
use progress::Progress;
use test_dir::TestDir;

/// The state that all trials share.
struct Shared {
    executable: PathBuf,
    role: ProcessRole,
    /// Has the directories for temporary files of all tests. `None` if the system's directory is
    /// missing, full or read-only. Then tests find it so, as under `cargo test`.
    private_dir: Option<PrivateDir>,
    gate: Arc<Gate>,
    capture: bool,
    show_output: bool,
    session: Option<Session>,
    target: TargetNote,
    /// The names of all tests of this binary.
    names_of_tests: Vec<String>,
    fragments: PathBuf,
    shown: Mutex<Vec<(String, String)>>,
    /// Tests that passed alone, with their failures beside other tests.
    passed_alone: Mutex<Vec<(String, String)>>,
    /// Prints lines about tests that take long.
    progress: Progress,
    /// The front's own name server, if the command has none.
    names: Option<NameSocket>,
}

/// The list that a test binary has written; `None` if no test binary started this process.
pub fn list_from_env() -> Option<PathBuf> {
    env::var_os(FRONT_VAR).map(PathBuf::from)
}

/// Runs or lists the tests that the arguments select. The exit codes are libtest's.
///
/// # Errors
///
/// When the list cannot be read, or the tests cannot be started.
pub fn main(list: &Path) -> Result<ExitCode> {
    let fragments = list.parent().unwrap_or(Path::new(""));
    // Without a session, the test binary has created the directory for this process.
    let own = PrivateDir::of_test_binary(fragments);
    if own.is_some() {
        private_dir::remove_abandoned();
    }
    let code = run(read(list)?, fragments)?;
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}

fn read(path: &Path) -> Result<TestList> {
    tracemalloc_harness::from_bytes(&fs::read(path)?).with_context(|| {
        format!(
            "failed to read the list of tests in `{}`; build the tests again, or install the version of \
             cargo-tracemalloc that built them",
            path.display()
        )
    })
}

fn run(list: TestList, fragments: &Path) -> Result<i32> {
    let arguments = match Arguments::parse(env::args_os())? {
        Request::Run(arguments) => arguments,
        Request::Exit(code) => return Ok(code),
    };
    let role = ProcessRole::of_this_process();
    let executable = env::var_os(TEST_BINARY_VAR).map(PathBuf::from).with_context(|| {
        format!("failed to find the test binary, because {TEST_BINARY_VAR} is not set")
    })?;
    let mut tests = list.tests;
    if arguments.exclude_should_panic {
        tests.retain(|test| !test.should_panic);
    }
    let left_out: Vec<String> = tests
        .iter()
        .filter(|test| !arguments.selects(&test.name))
        .map(|test| test.name.clone())
        .collect();
    let mut for_libtest_mimic = arguments.for_libtest_mimic(left_out);
    let write_target = || {
        fragment::write_target(fragments, &executable, list.installed, list.c_untraced.as_deref())
            .with_context(|| format!("failed to write to `{}`", fragments.display()))
    };
    let conclusion = if arguments.list {
        if role.reports_to().is_some() {
            // nextest lists the tests first, and never runs the ignored ones.
            write_target()?;
            note_ignored(&arguments, &tests, fragments)?;
        }
        let trials = tests.iter().map(|test| trial(test, || Ok(Completion::Completed))).collect();
        libtest_mimic::run(&for_libtest_mimic, trials)
    } else {
        let note = write_target()?;
        if let Some(seed) = arguments.seed() {
            if !arguments.is_junit() {
                println!("shuffle seed: {seed}");
            }
            shuffle(&mut tests, seed);
        }
        note_ignored(&arguments, &tests, fragments)?;
        let session = role.session();
        let runs = tests.iter().filter(|test| arguments.runs(test)).count();
        let gate = Arc::new(Gate::new(arguments.test_threads));
        let threads = gate.threads(runs);
        for_libtest_mimic.test_threads = Some(threads);
        let shared = Shared {
            gate,
            capture: !arguments.nocapture,
            show_output: arguments.show_output,
            progress: Progress::start(arguments.quiet, threads),
            names: if tells_names(session.as_ref()) { None } else { NameSocket::open() },
            session,
            target: note,
            names_of_tests: tests.iter().map(|test| test.name.clone()).collect(),
            fragments: fragments.to_owned(),
            shown: Mutex::new(Vec::new()),
            passed_alone: Mutex::new(Vec::new()),
            executable,
            role,
            private_dir: PrivateDir::create().ok(),
        };
        run_in_children(&arguments, &for_libtest_mimic, Arc::new(shared), tests)?
    };
    Ok(if conclusion.has_failed() { FAILED } else { 0 })
}

fn run_in_children(
    arguments: &Arguments,
    for_libtest_mimic: &libtest_mimic::Arguments,
    shared: Arc<Shared>,
    tests: Vec<ListedTest>,
) -> Result<Conclusion> {
    let junit = arguments.is_junit().then(|| Arc::new(Junit::default()));
    let trials = tests.into_iter().enumerate().map(|(number, test)| {
        let shared = Arc::clone(&shared);
        let is_ignored = arguments.ignores(&test);
        match test.ignore_message {
            Some(why) if is_ignored => {
                Trial::ignorable_test(test.name, move || Ok(Completion::ignored_with(why)))
            }
            _ => {
                let name = test.name.clone();
                let ticket = shared.gate.ticket();
                let junit = junit.clone();
                trial(&test, move || {
                    let result = shared.run(ticket, &name, number);
                    if let Some(junit) = junit {
                        junit.add(&name, number, &result, &shared.fragments);
                    }
                    result
                })
            }
        }
    });
    let conclusion = libtest_mimic::run(for_libtest_mimic, trials.collect());
    match junit {
        Some(junit) => write_results(&junit.text()?, arguments.logfile.as_deref())?,
        None => shared.print_shown(),
    }
    shared.print_passed_alone();
    Ok(conclusion)
}

/// Writes results to `--logfile` or stdout. A closed stdout is no error.
fn write_results(text: &str, logfile: Option<&str>) -> Result<()> {
    match logfile {
        Some(path) => Ok(fs::write(path, text)?),
        None => {
            let _closed = std::io::stdout().write_all(text.as_bytes());
            Ok(())
        }
    }
}

/// Writes the entries of ignored tests, which have no child.
fn note_ignored(arguments: &Arguments, tests: &[ListedTest], fragments: &Path) -> Result<()> {
    for (number, test) in tests.iter().enumerate() {
        if arguments.ignores(test) && arguments.selects(&test.name) {
            let entry = TestEntry {
                outcome: Outcome::Ignored,
                message: test.ignore_message.clone(),
                ..TestEntry::new(&test.name)
            };
            fragment::write(&fragment::entry_path(fragments, number), &entry)
                .with_context(|| format!("failed to write to `{}`", fragments.display()))?;
        }
    }
    Ok(())
}

/// Whether the command has a name server that this process can see. In a container it cannot.
fn tells_names(session: Option<&Session>) -> bool {
    session
        .and_then(|session| session.names.as_ref())
        .is_some_and(|socket| Path::new(socket).exists())
}

impl Shared {
    /// Runs one test, and again alone if it fails beside others. The last attempt counts.
    fn run(&self, ticket: Ticket, test: &str, number: usize) -> Result<Completion, Failed> {
        let first = self.gate.first(ticket, || self.attempt(test, number));
        let (entry, output, ended) = first.result?;
        // A test that was killed has had its time.
        let is_tried_again = entry.outcome == Outcome::Failed && first.had_company;
        let second = (is_tried_again && !matches!(ended, Ended::TimedOut(_)))
            .then(|| self.gate.alone(|| self.attempt(test, number)))
            .flatten();
        let Some(second) = second else { return self.finish(entry, || output.text()) };
        let (mut alone, output_alone, _) = second?;
        let message = entry.message;
        if alone.outcome != Outcome::Failed {
            let shown = message.clone().unwrap_or_default();
            self.passed_alone().push((test.to_owned(), shown));
            (alone.passed_alone, alone.message) = (true, message);
            self.write(&alone, number)?;
            return self.finish(alone, || output_alone.text());
        }
        // The first attempt may have left something that makes the second fail in another way.
        let printed_alone = output_alone.text();
        let printed = if alone.message == message {
            printed_alone
        } else {
            let (printed, first) = (output.text(), message.unwrap_or_default());
            format!("{printed}{first}\n\nIt ran again alone, and failed again:\n{printed_alone}")
        };
        self.finish(alone, || printed)
    }

    fn passed_alone(&self) -> MutexGuard<'_, Vec<(String, String)>> {
        self.passed_alone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one test in a child, and writes its entry however the child ends. Also returns the
    /// output.
    fn attempt(&self, test: &str, number: usize) -> Result<(TestEntry, Output, Ended), Failed> {
        let fragment_path = fragment::entry_path(&self.fragments, number);
        fragment::remove(&fragment_path)
            .map_err(|error| format!("failed to remove {fragment_path:?}: {error}"))?;
        let output = if self.capture {
            Output::captured(&self.fragments.join(format!("{number}.out")))
        } else {
            Ok(Output::inherited())
        };
        let _watched = self.progress.watch(number, test, &fragment_path);
        let started = Instant::now();
        let ended = output.and_then(|mut output| {
            let mut child = Command::new(&self.executable);
            child.args(env::args_os().skip(1));
            let names = self.names.as_ref().map(NameSocket::path);
            self.role.prepare(&mut child, test, &fragment_path, names);
            let private_dir = self.private_dir.as_ref();
            let test_dir = private_dir.and_then(|dir| TestDir::create(dir.path(), number).ok());
            if let Some(test_dir) = &test_dir {
                test_dir.give_to(&mut child);
            }
            let first_is_over = || fragment::is_written(&fragment_path);
            let session =
                self.session.clone().map(|session| session.for_test(&self.target.package, test));
            let timeout = session.and_then(|session| {
                let first_run = Duration::from_secs_f64(session.timeout_seconds?);
                // The child begins no further run after the timeout, but it may be searching.
                let all_runs = first_run * 2;
                Some(Timeout { first_run, all_runs, first_is_over: &first_is_over })
            });
            let ended = process::run(child, &mut output, timeout)?;
            output.unlink();
            Ok((ended, output))
        });
        let (ended, output) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                let error = format!("failed to start the test's process: {error}");
                self.write(&TestEntry::failed(test, error.clone()), number)?;
                return Err(error.into());
            }
        };
        let mut entry = with_nested(entry_of(test, &fragment_path, &ended), &fragment_path);
        entry.duration_seconds = started.elapsed().as_secs_f64();
        self.write(&entry, number)?;
        entry_slots::remove(&fragment_path);
        Ok((entry, output, ended))
    }

    fn write(&self, entry: &TestEntry, number: usize) -> Result<(), Failed> {
        let path = fragment::entry_path(&self.fragments, number);
        fragment::write(&path, entry)
            .map_err(|error| format!("failed to write {path:?}: {error}").into())
    }

    /// The result of the last attempt. The output is read only if it is shown.
    fn finish(
        &self,
        entry: TestEntry,
        printed: impl FnOnce() -> String,
    ) -> Result<Completion, Failed> {
        let session = self.role.session().unwrap_or_default();
        let entry = &known_ids::applied(entry, &self.target, &session, &self.names_of_tests);
        if !self.show_output || entry.outcome != Outcome::Passed {
            return conclude(entry, &session, printed);
        }
        let printed = printed();
        if !printed.is_empty() {
            let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            shown.push((entry.name.clone(), printed.clone()));
        }
        conclude(entry, &session, || printed)
    }

    /// Prints the tests that passed alone. The command's report has them too.
    fn print_passed_alone(&self) {
        if self.role.reports_to().is_some() {
            return;
        }
        let mut passed_alone = self.passed_alone();
        passed_alone.sort();
        for (name, message) in passed_alone.iter() {
            let message = terminal::escaped(message);
            eprintln!("passed alone {name}: beside other tests it failed: {message}");
        }
    }

    /// Prints the output of passed tests, for `--show-output`.
    fn print_shown(&self) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.sort();
        if !shown.is_empty() {
            println!("successes:\n");
            for (name, printed) in shown.iter() {
                println!("---- {name} stdout ----\n{printed}");
            }
        }
    }
}

fn trial(
    test: &ListedTest,
    run: impl FnOnce() -> Result<Completion, Failed> + Send + 'static,
) -> Trial {
    if test.is_bench {
        // The bench ran once without a measurement, but `--bench` needs one.
        let measurement = libtest_mimic::Measurement { avg: 0, variance: 0 };
        Trial::bench(&test.name, move |_test_mode| run().map(|_| Some(measurement)))
            .with_ignored_flag(test.ignored)
    } else {
        Trial::ignorable_test(&test.name, run).with_ignored_flag(test.ignored)
    }
}

/// The child's entry, corrected by the way the child ended.
fn entry_of(test: &str, fragment_path: &Path, ended: &Ended) -> TestEntry {
    match (fragment::read(fragment_path), ended) {
        (Some((entry, _)), Ended::Code(0 | FAILED)) => entry,
        // The first run passed, and a repeated run ended the process. That says nothing about a
        // test that was not suspicious.
        (Some((entry, false)), _)
            if matches!(entry.verdict, Some(Verdict::Clean | Verdict::Once)) =>
        {
            entry
        }
        // Blocks that were lost in the first run are a leak.
        (Some((entry, is_last)), ended)
            if !is_last
                || matches!(entry.verdict, Some(Verdict::Unconfirmed | Verdict::Leak))
                    && entry.verdict_reason.is_some() =>
        {
            let cause = match entry.runs.len() {
                0 => "the search of the heap",
                _ => "a repeated run",
            };
            let reason = format!("{cause} ended its process: it {ended}");
            TestEntry { verdict_reason: Some(reason), ..entry }
        }
        (Some((entry, _)), ended) if entry.outcome == Outcome::Passed => {
            TestEntry::failed(test, format!("the test passed, but its process {ended}"))
        }
        (Some((entry, _)), _) => entry,
        (None, ended @ Ended::Code(_)) => {
            TestEntry::failed(test, format!("the test's process {ended} before the test ended"))
        }
        (None, ended) => TestEntry::failed(test, format!("the test's process {ended}")),
    }
}

/// The entry with what a process lost that the test has started to run itself again. Such a leak
/// counts unless the test fails, or leaks by itself.
fn with_nested(entry: TestEntry, fragment_path: &Path) -> TestEntry {
    let counts = entry.outcome == Outcome::Passed
        && matches!(entry.verdict, Some(Verdict::Clean | Verdict::Once | Verdict::Unconfirmed));
    fragment::take_nested(fragment_path).filter(|_| counts).unwrap_or(entry)
}

/// The result for libtest-mimic to print.
fn conclude(
    entry: &TestEntry,
    session: &Session,
    printed: impl FnOnce() -> String,
) -> Result<Completion, Failed> {
    if entry.outcome == Outcome::Failed {
        let printed = printed();
        let message = entry.message.as_deref().unwrap_or("failed");
        // The panic has printed its message itself.
        let said = printed.contains(message.strip_prefix("panicked: ").unwrap_or(message));
        let text = if said { printed } else { format!("{printed}{message}\n") };
        return Err(Failed::from(text));
    }
    match test_failure(entry, session) {
        Some(failure) => Err(Failed::from(printed() + &failure)),
        None => Ok(Completion::Completed),
    }
}

/// A Fisher-Yates shuffle with an xorshift generator. One seed always gives the same order.
fn shuffle<T>(tests: &mut [T], seed: u64) {
    let mut state = seed | 1;
    for last in (1..tests.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        tests.swap(last, (state % (last as u64 + 1)) as usize);
    }
}
