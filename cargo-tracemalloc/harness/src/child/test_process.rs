//! The process of one test. It runs the body, again while it grows, and writes the entry to a
//! fragment.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tracemalloc::internal::judge::{Grouper, Grown, Judge, Ruling};
use tracemalloc::internal::{self, Walk};

use crate::child::baseline::Baseline;
use crate::child::child_assignment::Assignment;
use crate::child::null_output;
use crate::child::process_limits::Limits;
use crate::child::rules;
use crate::child::test::Test;
use crate::child::test_binary;
use crate::child::verdict_entry;
use crate::protocol::fragment;
use crate::protocol::process_role::{FAILED, fail};
use crate::protocol::session::Session;
use crate::protocol::test_entry::{Outcome, TestEntry, Verdict};

/// A repeated run gets this much time, or ten times that of the first run if that is more.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs the test of this process, and returns the exit code.
pub fn main(tests: &[Test], name: &str, assignment: &Assignment, panics_abort: bool) -> i32 {
    let Some(test) = tests.iter().find(|test| test.name == name) else {
        fail(&format!("cannot find the test `{name}` in its own binary"));
    };
    if panics_abort {
        conclude_when_it_panics(*test, assignment.clone());
    }
    match run(*test, assignment).outcome {
        Outcome::Failed => FAILED,
        Outcome::Passed | Outcome::Ignored => 0,
    }
}

/// Whether the first run is over.
static REPEATS: AtomicBool = AtomicBool::new(false);

/// With `panic = "abort"`, the panic hook is the last code of the harness that runs. A test that
/// expects the panic has passed. Its growth cannot be judged, because nothing was dropped.
fn conclude_when_it_panics(test: Test, assignment: Assignment) {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        hook(panic);
        let entry = match test.of_panic(panic.payload_as_str()) {
            Ok(()) => TestEntry {
                verdict: assignment.session.as_ref().map(|_| Verdict::Skipped),
                verdict_reason: Some(
                    "with `panic = \"abort\"`, a panic leaves nothing to judge".to_owned(),
                ),
                ..TestEntry::new(test.name)
            },
            Err(why) => TestEntry::failed(test.name, why),
        };
        // After the first run, the fragment already says that the body could not run again.
        if !REPEATS.load(Ordering::Relaxed) {
            write(&assignment, &entry);
        }
        std::process::exit(if entry.outcome == Outcome::Failed { FAILED } else { 0 });
    }));
}

/// Runs the test and judges it. Writes the entry before it returns.
pub fn run(test: Test, assignment: &Assignment) -> TestEntry {
    // The harness itself is not traced. Threads that tests start are.
    let _pause = internal::pause();
    let started = Instant::now();
    let limits = Limits::now();
    internal::expect(test.name);
    let entry = match &assignment.session {
        Some(session) => judged(test, session, assignment, &limits),
        None => unjudged(test),
    };
    limits.restore();
    let check = internal::asked().map(rules::check_entry);
    let mut entry = TestEntry { duration_seconds: started.elapsed().as_secs_f64(), check, ..entry };
    let missed = internal::missed();
    if missed > 0 {
        let reason = entry.verdict_reason.map_or(String::new(), |reason| format!("{reason}; "));
        entry.verdict_reason =
            Some(format!("{reason}{missed} blocks were not recorded, because memory ran out"));
    }
    write(assignment, &entry);
    entry
}

fn unjudged(test: Test) -> TestEntry {
    match run_once(test, None) {
        Ran::Passed => TestEntry::new(test.name),
        Ran::Failed(message) => TestEntry::failed(test.name, message),
        Ran::Late => unreachable!("no time was set"),
    }
}

fn judged(test: Test, session: &Session, assignment: &Assignment, limits: &Limits) -> TestEntry {
    let session = &session.clone().for_test(&test_binary::target().package, test.name);
    let options = &session.options;
    internal::start(Walk::FramePointers, options.frames as usize + internal::FRAMES_OF_STD);
    if !internal::is_this_copy_installed() {
        return unjudged(test);
    }
    let mut rules = session.rules();
    let mut judge = Judge::new(&rules);
    // An address in this thread's stack. Below it, the stack belongs to the harness.
    let here = 0_u8;
    let heap = session.heap((&raw const here).addr());
    let mut grouper = Grouper::new(&rules, Some(heap.clone()));
    let mut patience = None;
    loop {
        let before = Baseline::now();
        let started = Instant::now();
        let ran = run_once(test, patience);
        let took = started.elapsed();
        limits.restore();
        if let (0, Some(own)) = (judge.runs(), internal::asked()) {
            if let (Ran::Passed, Some(reason)) = (&ran, own.skip.as_ref()) {
                let skipped = Some(Verdict::Skipped);
                return TestEntry {
                    verdict: skipped,
                    verdict_reason: Some(reason.clone()),
                    ..TestEntry::new(test.name)
                };
            }
            rules = own.over(rules);
            judge = Judge::new(&rules);
            grouper = Grouper::new(&rules, Some(heap.clone()));
        }
        let ruling = match ran {
            Ran::Passed => {
                let changes = before.changes(judge.patience());
                judge.passed(Grown::gross(&changes), || grouper.group(&changes), took)
            }
            Ran::Failed(message) if judge.runs() == 0 => {
                return TestEntry::failed(test.name, message);
            }
            Ran::Failed(message) => judge.cannot_repeat(&format!(
                "run {} failed: {}",
                judge.runs() + 1,
                short(&message)
            )),
            Ran::Late => {
                judge.cannot_repeat(&format!("run {} did not end in time", judge.runs() + 1))
            }
        };
        match ruling {
            Ruling::Final(judged) => {
                return verdict_entry::entry(test.name, &judged, &grouper, session);
            }
            Ruling::RunAgain if judge.runs() == 1 => {
                // A repeated run may end the process. The result of the first run must not be lost.
                let unconfirmed =
                    judge.unconfirmed("the test ended its process when it was run again");
                write(
                    assignment,
                    &verdict_entry::entry(test.name, &unconfirmed, &grouper, session),
                );
                let timeout =
                    session.timeout_seconds.map_or(Duration::MAX, Duration::from_secs_f64);
                patience = Some(PATIENCE.max(took * 10).min(timeout));
                REPEATS.store(true, Ordering::Relaxed);
                null_output::redirect();
            }
            Ruling::RunAgain => {}
        }
    }
}

/// The end of one run.
enum Ran {
    Passed,
    Failed(String),
    Late,
}

/// Runs the body once, on a thread with the test's name, like libtest. Every run goes through this
/// function, so that all have the same stack.
#[inline(never)]
fn run_once(test: Test, patience: Option<Duration>) -> Ran {
    let (sender, receiver) = mpsc::sync_channel(1);
    let thread = std::thread::Builder::new().name(test.name.to_owned()).spawn(move || {
        let result = test.run();
        // The receiver is gone only after a timeout.
        let _ = sender.send(result);
    });
    let thread =
        thread.unwrap_or_else(|error| fail(&format!("cannot start the test's thread: {error}")));
    let result = match patience {
        None => receiver.recv().ok(),
        Some(patience) => match receiver.recv_timeout(patience) {
            Err(mpsc::RecvTimeoutError::Timeout) => return Ran::Late,
            result => result.ok(),
        },
    };
    // The test has sent its result, so the thread is about to end. `join` returns after its
    // thread-locals are dropped.
    let joined = thread.join();
    match (result, joined) {
        (Some(Ok(())), Ok(())) => Ran::Passed,
        (Some(Err(message)), _) => Ran::Failed(message),
        (_, _) => Ran::Failed("panicked".to_owned()),
    }
}

/// The first line of a message, cut to the width of a report.
fn short(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    match line.char_indices().nth(120) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.to_owned(),
    }
}

fn write(assignment: &Assignment, entry: &TestEntry) {
    let Some(fragment) = &assignment.fragment else { return };
    if let Err(error) = fragment::write(fragment, entry) {
        fail(&format!("cannot write {fragment:?}: {error}"));
    }
}
