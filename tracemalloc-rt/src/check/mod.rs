//! Checks: code that may keep no more memory than its limits allow.
//!
//! This room may call `api`, `judge`, `bridge` and everything below them. Only `lib.rs` and
//! `__private` call it.
//!
//! If the code is a test that a harness judges, the harness gets the limits, and the code only
//! runs. Otherwise this room runs the code and judges it by the rules of the harness. Code that
//! grows above its limits runs again, until its growth has a shape. Without a tracing allocator the
//! code only runs, and one note says so.

pub mod growth;
mod measurement;
mod spawn;
mod spending;
pub mod steady;

use std::any::Any;
use std::env;
use std::io::Write as _;
use std::panic::{Location, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::bridge::{CheckRequest, installed};
use crate::check::measurement::{Balances, Ended, Measurement};
use crate::check::spending::Spending;
use crate::error::Error;
use crate::judge::{
    Elapsed, Grouper, Headline, Judged, Leak, Meter, Patience, Prefix, Rules, Stopwatch, Trial,
    Verdict, leak_text, size,
};
use crate::limits::Limits;
use crate::trace::live::Change;
use crate::trace::scope_table::Counts;
use crate::util::panic_message::panic_message;

/// If this variable is 1, a check fails where nothing traces. With another value, nothing is said.
const REQUIRE: &str = "TRACEMALLOC_REQUIRE";

/// Runs code, and panics if it leaks: if it keeps more memory than the limits allow, run after run.
/// Returns the value of the first run.
///
/// The check counts the blocks that the code has allocated and that are live when it returns. These
/// are the blocks of this thread and, on Linux with the GNU C library, of the threads that it has
/// started. The value that the code returns is live, and counts. Code that keeps too much runs
/// again. It fails only if its growth goes on, so a cache that fills is no failure.
///
/// If the program's global allocator does not trace, the code runs once, without a check, and the
/// process prints one note to stderr. With the environment variable `TRACEMALLOC_REQUIRE=1` this
/// panics instead; with `TRACEMALLOC_REQUIRE=0` there is no note. Not in Python.
///
/// # Panics
///
/// - If the code leaks. The message has a traceback for each leak, the most recent frame first.
/// - If the code panics in its first run.
/// - If its first run is above [`Limits::max_peak`], [`Limits::max_allocations`] or
///   [`Limits::max_total`].
/// - If the check is not possible: see [`Error::OtherVersion`] and `TRACEMALLOC_REQUIRE`.
///
/// ```
/// use tracemalloc::{Limits, Tracemalloc};
///
/// #[global_allocator]
/// static ALLOCATOR: Tracemalloc = Tracemalloc::system();
///
/// let sum = tracemalloc::check(Limits::new(), || (0..100).collect::<Vec<u32>>().iter().sum::<u32>());
/// assert_eq!(sum, 4950);
///
/// let leaks = || tracemalloc::check(Limits::new().max_growth(1023).runs(8), || std::mem::forget(vec![0_u8; 1024]));
/// let failure = std::panic::catch_unwind(leaks).unwrap_err();
/// assert!(failure.downcast_ref::<String>().unwrap().starts_with("leaked 1024 B in 1 block a run"));
/// ```
#[track_caller]
pub fn check<R>(limits: Limits, mut code: impl FnMut() -> R) -> R {
    let code = Code { run: || measured_code(&mut code), passes: returned };
    value(conclude(code.check(&limits, Location::caller())))
}

/// [`check`] for code that cannot run twice: its only run decides.
#[track_caller]
pub fn check_once<R>(mut limits: Limits, code: impl FnOnce() -> R) -> R {
    limits.runs = Some(1);
    let mut code = Some(code);
    let run = || match code.take() {
        Some(code) => measured_code(code),
        None => unreachable!("the limits allow one run"),
    };
    value(conclude(Code { run, passes: returned }.check(&limits, Location::caller())))
}

/// [`check`] for the body of a function. If the function is a test that a harness runs, the harness
/// judges it. `function` is its path, with its crate.
#[track_caller]
pub fn check_function<R>(
    function: &str,
    limits: Limits,
    mut body: impl FnMut() -> R,
    is_failure: impl Fn(&R) -> bool,
) -> R {
    let passes = |ended: &Ended<R>| match ended {
        Ok(value) if is_failure(value) => Err("it returned an error".to_owned()),
        other => returned(other),
    };
    let code = Code { run: || __rust_begin_short_backtrace(&mut body), passes };
    value(conclude(code.check_function(function, &limits, Location::caller())))
}

/// [`check_function`] for a test that has to panic. If it leaks, it prints why and does not panic,
/// so that it fails.
#[track_caller]
pub fn check_panicking(function: &str, limits: Limits, mut body: impl FnMut()) {
    let passes = |ended: &Ended<()>| match ended {
        Ok(()) => Err("it did not panic".to_owned()),
        Err(_) => Ok(()),
    };
    let code = Code { run: || __rust_begin_short_backtrace(&mut body), passes };
    match code.check_function(function, &limits, Location::caller()) {
        Ok(Ok(())) => {}
        Ok(Err(payload)) => resume_unwind(payload),
        Err(failure) => eprintln!("{failure}"),
    }
}

/// The most runs of code that panics as expected, unless the check says otherwise: each prints.
const RUNS_THAT_PANIC: u32 = 8;

/// Code to check. `passes` gives the reason if a run is a failure by itself.
struct Code<Run, Passes> {
    run: Run,
    passes: Passes,
}

impl<R, Run: FnMut() -> R, Passes: Fn(&Ended<R>) -> Result<(), String>> Code<Run, Passes> {
    fn check_function(
        self,
        function: &str,
        limits: &Limits,
        place: &Location,
    ) -> Result<Ended<R>, String> {
        let is_harness = |table: &crate::bridge::Table| {
            CheckRequest::send(table.request_check, function, limits)
        };
        if installed().is_ok_and(is_harness) {
            return self.check_peak_and_budget(limits, place);
        }
        self.check(limits, place)
    }

    /// The first run, without a verdict on its growth. Fails if its peak or its spending is above
    /// the limit.
    fn check_peak_and_budget(
        mut self,
        limits: &Limits,
        place: &Location,
    ) -> Result<Ended<R>, String> {
        let counts = counts(limits);
        let measurement = match counts {
            Counts { peak: false, spending: false } => None,
            _ => {
                Measurement::new(limits.frame_count(), counts).map_err(|error| error.to_string())?
            }
        };
        let Some(measurement) = measurement else { return Ok(run_untraced(self.run)) };
        let ended = measurement.run(&mut self.run);
        if (self.passes)(&ended).is_ok() {
            first_run(&measurement, &rules(limits, place))?;
        }
        Ok(ended)
    }

    /// The end of the first run, or the text of the failure.
    fn check(mut self, limits: &Limits, place: &Location) -> Result<Ended<R>, String> {
        if limits.skip.is_some() {
            return Ok(run_untraced(self.run));
        }
        let Some(measurement) = Measurement::new(limits.frame_count(), counts(limits))
            .map_err(|error| error.to_string())?
        else {
            if is_required() {
                return Err(required());
            }
            note_that_nothing_is_checked();
            return Ok(run_untraced(self.run));
        };
        let rules = rules(limits, place);
        let mut trial = Trial::new(&rules, None, CheckMeter::new(measurement));
        trial.case.never_probes();
        let mut first = None;
        loop {
            trial.meter.begin_run();
            let ended = trial.meter.measurement.run(&mut self.run);
            let passes = (self.passes)(&ended);
            let judged = match (&first, passes) {
                (None, Err(_)) => return Ok(ended),
                (None, Ok(())) => {
                    if ended.is_err() {
                        trial.case.limit_runs(RUNS_THAT_PANIC);
                    }
                    first = Some(ended.map_err(without_its_blocks));
                    first_run(&trial.meter.measurement, &rules)?;
                    trial.passed()
                }
                (Some(_), Ok(())) => {
                    drop(ended);
                    trial.passed()
                }
                (Some(_), Err(why)) => Some(trial.cannot_repeat(&format!("failed: {why}"))),
            };
            if let (Some(judged), Some(first)) = (judged, &mut first) {
                report(&judged, &trial.grouper, &trial.meter.measurement)?;
                let nothing: Ended<R> = Err(Box::new(()));
                return Ok(std::mem::replace(first, nothing));
            }
        }
    }
}

/// Measures the runs of a check's code.
struct CheckMeter {
    measurement: Measurement,
    before: Balances,
    stopwatch: Stopwatch,
}

impl CheckMeter {
    fn new(measurement: Measurement) -> Self {
        let before = measurement.balances();
        Self { measurement, before, stopwatch: Stopwatch::start() }
    }

    fn begin_run(&mut self) {
        self.stopwatch = Stopwatch::start();
    }
}

impl Meter for CheckMeter {
    fn changes(&mut self, patience: Patience) -> Vec<Change> {
        let (changes, now) = self.measurement.changes(&self.before, patience);
        self.before = now;
        changes
    }

    fn time(&self) -> Elapsed {
        self.stopwatch.elapsed()
    }

    /// Other code of the process may run meanwhile, so its processor time says nothing.
    fn cpu(&self) -> Duration {
        self.time().wall
    }

    fn threads(&self) -> u32 {
        self.measurement.threads()
    }
}

/// Calls the body of a function with the attribute. Tracebacks end at this frame.
#[inline(never)]
fn __rust_begin_short_backtrace<R>(body: impl FnOnce() -> R) -> R {
    std::hint::black_box(body())
}

/// Calls the code of a check. Tracebacks go on with the frame that called the check.
#[inline(never)]
fn measured_code<R>(code: impl FnOnce() -> R) -> R {
    std::hint::black_box(code())
}

fn run_untraced<R>(mut run: impl FnMut() -> R) -> Ended<R> {
    Ok(run())
}

/// Fails on a leak. Prints a note if the growth could not be confirmed.
fn report(judged: &Judged, grouper: &Grouper<'_>, measurement: &Measurement) -> Result<(), String> {
    let growth = judged.growth(grouper);
    let leaks: Vec<Leak> = growth
        .iter()
        .filter(|growth| growth.kind == crate::judge::GrowthKind::Leak)
        .map(|growth| Leak::new(growth.least, &growth.traceback))
        .collect();
    match judged.verdict {
        Verdict::Clean | Verdict::Once | Verdict::Known | Verdict::Skipped => Ok(()),
        Verdict::Leak => {
            let runs = judged.runs.len();
            let headline = Headline {
                what: "leaked",
                unit: "run",
                grew: runs,
                runs,
                limit: judged.limit,
                reason: None,
            };
            let mut text = leak_text(&headline, &leaks) + "\n\n" + &counted_blocks(measurement);
            if leaks.iter().any(|leak| leak.traceback.iter().all(|(.., line, _)| *line == 0)) {
                text += "; for files and lines, set `debug = 1` in the Cargo profile";
            }
            Err(text)
        }
        Verdict::Unconfirmed => {
            let first = judged.runs.first().copied().unwrap_or_default();
            let grew = size(first.bytes);
            let why = judged.reason.as_deref().unwrap_or_default();
            eprintln!("tracemalloc: unconfirmed: grew by {grew}, and could not run again: {why}");
            Ok(())
        }
    }
}

/// The last line of a failure: the threads whose blocks were counted.
fn counted_blocks(measurement: &Measurement) -> String {
    let threads = if measurement.is_of_process() {
        "the blocks of all threads were counted"
    } else if spawn::is_followed() {
        "the blocks of this thread were counted, and those of the threads that it started"
    } else {
        "the blocks of this thread were counted; on this system, those of the threads that it started \
         cannot be"
    };
    match measurement.missed() {
        0 => threads.to_owned(),
        missed => format!("{threads}; {missed} blocks were not recorded, because memory ran out"),
    }
}

/// The numbers that have to be counted for these limits.
fn counts(limits: &Limits) -> Counts {
    Counts { peak: limits.max_peak.is_some(), spending: spending::is_limited(limits) }
}

/// Fails if the peak or the spending of the first run is above its limit.
fn first_run(measurement: &Measurement, rules: &Rules) -> Result<(), String> {
    let limits = &rules.limits;
    let over_budget = || {
        let spending = || Spending::of(measurement, rules);
        spending::is_limited(limits).then(spending)?.failure(limits)
    };
    match peak_text(measurement.peak(), limits).or_else(over_budget) {
        Some(failure) => Err(format!("{failure}\n\n{}", counted_blocks(measurement))),
        None => Ok(()),
    }
}

fn peak_text(peak: u64, limits: &Limits) -> Option<String> {
    let most = limits.max_peak.filter(|most| peak > *most)?;
    let (held, limit) = (size(peak), size(most));
    Some(format!("held {held} at once ({peak} bytes), limit {limit} ({most} bytes)"))
}

fn rules(limits: &Limits, place: &Location) -> Rules {
    let rules = Rules { prefixes: prefixes(place), ..Rules::default() };
    rules.with_check(limits.clone())
}

fn is_required() -> bool {
    env::var_os(REQUIRE).is_some_and(|value| value == "1")
}

fn required() -> String {
    format!("nothing was checked, and {REQUIRE} is 1: {}", not_installed())
}

/// Prints once that checks have no effect. libtest captures what macros print, but this is about
/// all tests.
fn note_that_nothing_is_checked() {
    static PRINTED: AtomicBool = AtomicBool::new(false);
    if env::var_os(REQUIRE).is_none() && !PRINTED.swap(true, Ordering::Relaxed) {
        let note = format!("note: nothing is checked by tracemalloc: {}\n", not_installed());
        // A closed stderr is no error.
        let _closed = std::io::stderr().write_all(note.as_bytes());
    }
}

fn not_installed() -> String {
    format!("{}; or run the tests with `cargo tracemalloc test`", Error::NotInstalled)
}

fn returned<R>(ended: &Ended<R>) -> Result<(), String> {
    match ended {
        Ok(_) => Ok(()),
        Err(payload) => Err(match panic_message(&**payload) {
            Some(message) => format!("it panicked: {message}"),
            None => "it panicked".to_owned(),
        }),
    }
}

/// A panic's payload in memory that does not count as the code's: it lives until the verdict. A
/// value that is not a text is replaced.
fn without_its_blocks(payload: Box<dyn Any + Send>) -> Box<dyn Any + Send> {
    match panic_message(&*payload) {
        Some(message) => Box::new(message.to_owned()),
        None => Box::new("a panic with a value that is not a text"),
    }
}

/// The end of the code. A failure of the check becomes a panic.
#[track_caller]
fn conclude<R>(checked: Result<Ended<R>, String>) -> Ended<R> {
    match checked {
        Ok(ended) => ended,
        Err(failure) => panic!("{failure}"),
    }
}

fn value<R>(ended: Ended<R>) -> R {
    ended.unwrap_or_else(|payload| resume_unwind(payload))
}

/// The rules that make file names short: those of the workspace are relative to it, those of
/// dependencies begin with the package.
fn prefixes(place: &Location) -> Vec<Prefix> {
    let prefix = |path: &Path| Prefix {
        prefix: path.to_string_lossy().into_owned(),
        replacement: String::new(),
    };
    let mut prefixes: Vec<Prefix> = cargo_home()
        .and_then(|home| std::fs::read_dir(home.join("registry/src")).ok())
        .map(|registries| registries.flatten().map(|registry| prefix(&registry.path())).collect())
        .unwrap_or_default();
    if let Some(package) = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from) {
        // `place` is relative to the workspace: `/w/core` and `core/src/lib.rs` meet in `/w`.
        let is_root = |root: &&Path| root.join(place.file()).exists();
        prefixes.push(prefix(package.ancestors().find(is_root).unwrap_or(&package)));
    }
    prefixes
}

fn cargo_home() -> Option<PathBuf> {
    env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")))
}
