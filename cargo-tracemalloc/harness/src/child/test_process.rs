//! The process of one test. It runs the body, again while it grows, and writes the entry to a
//! fragment.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tracemalloc::internal::heap::SearchPlace;
use tracemalloc::internal::judge::{Case, Elapsed, Meter, Patience, Trial, Verdict};
use tracemalloc::internal::{self, Change, Walk, run_delay, test_limits};

use crate::child::baseline::{Baseline, ThreadCount};
use crate::child::child_assignment::Assignment;
use crate::child::domain;
use crate::child::memory_reserve::MemoryReserve;
use crate::child::null_output;
use crate::child::panic_backtraces;
use crate::child::process_limits::Limits;
use crate::child::run_clock::RunClock;
use crate::child::seccomp;
use crate::child::test::Test;
use crate::child::test_binary;
use crate::child::test_thread::{BodyThread, Ran, TestThread};
use crate::child::verdict_entry;
use crate::protocol::entry_slots::{Slot, Stage};
use crate::protocol::process_role::{FAILED, fail};
use crate::protocol::session::Session;
use crate::protocol::test_entry::{Outcome, TestEntry};

/// A repeated run gets this much time, or ten times that of the first run if that is more.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs the test of this process, and returns the exit code.
pub fn main(tests: &[Test], name: &str, assignment: &Assignment, panics_abort: bool) -> i32 {
    let Some(test) = tests.iter().find(|test| test.name == name) else {
        fail(&format!("cannot find the test `{name}` in its own binary"));
    };
    if panics_abort {
        conclude_when_it_panics(*test, assignment.clone());
    } else {
        panic_backtraces::keep();
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
        let entry = match test.of_panic(internal::panic_message(panic.payload())) {
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
            write(&assignment, Slot::Last, &entry);
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
    test_limits::begin_test(test.name);
    let entry = match &assignment.session {
        Some(session) => judged(test, session, assignment, &limits),
        None => unjudged(test),
    };
    limits.restore();
    let check = test_limits::of_test();
    let mut entry = TestEntry { duration_seconds: started.elapsed().as_secs_f64(), check, ..entry };
    doubt_if_blocks_were_missed(&mut entry);
    write(assignment, Slot::Last, &entry);
    entry
}

/// A block that was not recorded may have leaked.
fn doubt_if_blocks_were_missed(entry: &mut TestEntry) {
    let missed = internal::missed();
    if missed == 0 {
        return;
    }
    if let Some(verdict @ (Verdict::Clean | Verdict::Once)) = &mut entry.verdict {
        *verdict = Verdict::Unconfirmed;
    }
    let reason = entry.verdict_reason.take().map_or(String::new(), |reason| format!("{reason}; "));
    entry.verdict_reason =
        Some(format!("{reason}{missed} blocks were not recorded, because memory ran out"));
}

fn unjudged(test: Test) -> TestEntry {
    match run_first(test, &mut RunClock::start()) {
        Ran::Passed => TestEntry::new(test.name),
        Ran::Failed(message) => TestEntry::failed(test.name, message),
        Ran::Late => unreachable!("no time was set"),
    }
}

fn judged(test: Test, session: &Session, assignment: &Assignment, limits: &Limits) -> TestEntry {
    let started = Instant::now();
    let session = &session.clone().for_test(&test_binary::target().package, test.name);
    let frames = session.limits.frame_count() as usize;
    internal::start(Walk::FramePointers, frames + internal::FRAMES_OF_STD);
    if !internal::is_this_copy_installed() {
        return unjudged(test);
    }
    domain::trace(session.limits.counted());
    let mut rules = session.rules();
    session.announce_known_holders();
    // An address in this thread's stack. Below it, the stack belongs to the harness.
    let here = 0_u8;
    let heap = session.heap((&raw const here).addr());
    let mut trial = Trial::new(&rules, Some(heap.clone()), TestMeter::new());
    let mut reserve = MemoryReserve::new();
    let filters = seccomp::filters();
    trial.meter.clock = RunClock::start();
    let delay = run_delay::of_this_thread();
    let ran = run_first(test, &mut trial.meter.clock);
    // This process has waited before, too. A short body may have been lucky.
    trial.meter.clock.delay += delay;
    let took = trial.meter.time().wall;
    // A thread that gets no memory for its signal stack aborts.
    let is_limited = !limits.restore();
    reserve.release();
    if let Ran::Failed(message) = ran {
        return TestEntry::failed(test.name, message);
    }
    // A filter for system calls, or a limit, may kill the process when the heap is searched.
    let passed = TestEntry {
        verdict: Some(Verdict::Unconfirmed),
        verdict_reason: Some("its process ended before the test was judged".to_owned()),
        ..TestEntry::new(test.name)
    };
    write(assignment, Slot::Passed, &passed);
    if let Some(own) = test_limits::of_test() {
        if let Some(reason) = own.skip {
            return TestEntry {
                verdict: Some(Verdict::Skipped),
                verdict_reason: Some(reason),
                ..TestEntry::new(test.name)
            };
        }
        rules = rules.with_check(own);
    }
    // A filter that the body has set may kill a process that starts another, or a thread.
    let is_filtered = seccomp::filters() > filters;
    let place = if is_filtered { SearchPlace::Process } else { SearchPlace::CopyOrProcess };
    trial.set_rules(&rules, Some(heap.at(place)));
    note(assignment, &trial.case, true);
    let mut verdict = trial.passed();
    let mut repeats = None;
    let timeout = session.timeout_seconds.map_or(Duration::MAX, Duration::from_secs_f64);
    let patience = PATIENCE.max(took * 10);
    let judged = loop {
        if let Some(judged) = verdict {
            break judged;
        }
        let left = timeout.saturating_sub(started.elapsed());
        if left.is_zero() {
            break trial.cannot_repeat("did not begin before the timeout");
        }
        let thread = repeats.get_or_insert_with(|| {
            // A repeated run may end the process. The results so far must not be lost with it.
            let unconfirmed =
                trial.case.unconfirmed("the test ended its process when it was run again");
            let mut first =
                verdict_entry::entry(test.name, &unconfirmed, &mut trial.grouper, session);
            doubt_if_blocks_were_missed(&mut first);
            write(assignment, Slot::First, &first);
            REPEATS.store(true, Ordering::Relaxed);
            if let Some(programs) = &assignment.programs {
                programs.close();
            }
            null_output::redirect();
            let thread = BodyThread::start(test, !is_filtered && !is_limited);
            // From now on, there is one more thread, with the blocks that it allocated to begin
            // with.
            trial.meter = TestMeter::new();
            thread
        });
        trial.meter.clock = RunClock::start();
        note(assignment, &trial.case, false);
        let ran = thread.run(patience.min(left), &mut trial.meter.clock);
        limits.restore();
        note(assignment, &trial.case, true);
        verdict = match ran {
            Ran::Passed => trial.passed(),
            Ran::Failed(message) => {
                Some(trial.cannot_repeat(&format!("failed: {}", short(&message))))
            }
            Ran::Late => Some(trial.cannot_repeat("did not end in time")),
        };
    };
    verdict_entry::entry(test.name, &judged, &mut trial.grouper, session)
}

/// Measures the runs of a test.
struct TestMeter {
    /// The threads before the first run, or before the first repeat.
    start: ThreadCount,
    /// The state after the last run.
    last: Baseline,
    clock: RunClock,
}

impl TestMeter {
    fn new() -> Self {
        Self { start: ThreadCount::now(), last: Baseline::now(), clock: RunClock::start() }
    }
}

impl Meter for TestMeter {
    fn changes(&mut self, patience: Patience) -> Vec<Change> {
        let (changes, now) = self.last.changes(patience, self.start);
        self.last = now;
        changes
    }

    fn time(&self) -> Elapsed {
        self.clock.time()
    }

    fn cpu(&self) -> Duration {
        self.clock.cpu()
    }

    fn threads(&self) -> u32 {
        self.last.threads.since(self.start)
    }
}

/// Runs the body on a thread that ends.
fn run_first(test: Test, clock: &mut RunClock) -> Ran {
    let thread = TestThread::start(test)
        .unwrap_or_else(|error| fail(&format!("cannot start the test's thread: {error}")));
    let ran = match thread.run(None, clock) {
        Ran::Passed if !thread.end() => Ran::Failed("panicked".to_owned()),
        ran => ran,
    };
    panic_backtraces::end_of_first_run(matches!(ran, Ran::Failed(_)));
    ran
}

/// The first line of a message, cut to the width of a report.
fn short(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    match line.char_indices().nth(120) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.to_owned(),
    }
}

/// Notes for the front that the next run of a case has begun, or that it is over and is judged.
fn note(assignment: &Assignment, case: &Case, is_judged: bool) {
    if let Some(file) = &assignment.entry_file {
        file.note(Stage { run: case.runs() + 1, most: case.likely_runs(), is_judged });
    }
}

fn write(assignment: &Assignment, slot: Slot, entry: &TestEntry) {
    if let Some(file) = &assignment.entry_file {
        file.write(slot, entry);
    }
}
