//! The lines about tests that take long, and about their reruns and searches.
//!
//! libtest prints `test NAME has been running for over 60 seconds`, and this does too. A test that
//! runs again gets such a line earlier on a terminal, with the number of the run. Each further line
//! about a test takes twice as long.
//!
//! All lines go to stderr, because tools parse stdout.

use std::collections::HashMap;
use std::env;
use std::io::{IsTerminal as _, stderr, stdout};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tracemalloc_harness::entry_slots::{self, Stage};

use crate::util::terminal::{self, escaped_line};

/// Seconds before the first line about reruns and searches, on a terminal.
const SOON: u32 = 5;
/// Seconds before the first line about the first run, and before all lines in logs.
const LATE: u32 = 60;
/// The time between two looks at the tests.
const TICK: Duration = Duration::from_millis(500);

/// The tests that run now, by their numbers.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    running: Arc<Mutex<HashMap<usize, Running>>>,
}

#[derive(Debug)]
struct Running {
    test: String,
    entry: PathBuf,
    started: Instant,
    /// Seconds before the next line.
    next: u32,
}

/// A test that runs until this is dropped.
pub struct Watched<'a> {
    progress: &'a Progress,
    number: usize,
}

/// The place where the lines appear.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// True if a person watches the lines; false if a log keeps them.
    is_watched: bool,
    /// Whether the line of the only running test is on the terminal, and is not ended.
    is_in_line: bool,
}

impl Progress {
    /// Starts the thread that prints lines. `threads` is the number of tests that run at once.
    ///
    /// With one of them, results begin before the test runs, as `test NAME ... `. A line must not
    /// come between in a log, and on a terminal it begins below.
    pub fn start(is_quiet: bool, threads: usize) -> Self {
        let progress = Self::default();
        let is_watched = stderr().is_terminal() && env::var_os("CI").is_none();
        let place = Place { is_watched, is_in_line: threads == 1 && stdout().is_terminal() };
        if !is_quiet && (threads > 1 || is_watched) {
            let progress = progress.clone();
            // Without a thread, nothing is printed.
            let _thread = thread::Builder::new().name("progress".to_owned()).spawn(move || {
                loop {
                    thread::sleep(TICK);
                    progress.print(place);
                }
            });
        }
        progress
    }

    /// Watches a test. `entry` is the file of its entry.
    pub fn watch(&self, number: usize, test: &str, entry: &Path) -> Watched<'_> {
        let (test, entry) = (test.to_owned(), entry.to_owned());
        let running = Running { test, entry, started: Instant::now(), next: SOON };
        self.lock().insert(number, running);
        Watched { progress: self, number }
    }

    fn print(&self, place: Place) {
        let lines: String =
            self.lock().values_mut().filter_map(|running| running.line(place)).collect();
        if !lines.is_empty() {
            terminal::print(&lines);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<usize, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.progress.lock().remove(&self.number);
    }
}

impl Running {
    /// The next line about this test, once it is due.
    fn line(&mut self, place: Place) -> Option<String> {
        let elapsed = self.started.elapsed().as_secs();
        if elapsed < u64::from(self.next) {
            return None;
        }
        let stage = stage_text(entry_slots::stage(&self.entry));
        if (!place.is_watched || stage.is_none()) && elapsed < u64::from(LATE) {
            return None;
        }
        let seconds = last_step(elapsed, if stage.is_some() { SOON } else { LATE });
        self.next = seconds.saturating_mul(2);
        let start = if place.is_in_line { "\n" } else { "" };
        let stage = stage.map_or(String::new(), |stage| format!(": {stage}"));
        let test = escaped_line(&self.test);
        Some(format!("{start}test {test} has been running for over {seconds} seconds{stage}\n"))
    }
}

/// The largest number of seconds that has passed, among `first` and its doubles.
fn last_step(elapsed: u64, first: u32) -> u32 {
    let mut step = first;
    while u64::from(step) * 2 <= elapsed {
        step *= 2;
    }
    step
}

/// The text about a stage. None about the first run, which is the test's own matter.
fn stage_text(stage: Option<Stage>) -> Option<String> {
    let Stage { run, most, is_judged } = stage?;
    match (run, is_judged) {
        (0, _) | (1, false) => None,
        (_, true) => Some(format!("searching the heap after run {run}")),
        (_, false) => {
            let most = most.map_or(String::new(), |most| format!(" of at most {most}"));
            Some(format!("run {run}{most}, to see whether its growth goes on"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMINAL: Place = Place { is_watched: true, is_in_line: false };
    const LOG: Place = Place { is_watched: false, is_in_line: false };

    #[test]
    fn a_stage_is_told_from_the_second_run_on() {
        let text = |run, most, is_judged| stage_text(Some(Stage { run, most, is_judged }));
        assert_eq!(text(0, None, false), None);
        assert_eq!(text(1, Some(8), false), None);
        assert_eq!(text(1, None, true).unwrap(), "searching the heap after run 1");
        let rerun = "run 2 of at most 8, to see whether its growth goes on";
        assert_eq!(text(2, Some(8), false).unwrap(), rerun);
        assert_eq!(text(12, None, false).unwrap(), "run 12, to see whether its growth goes on");
    }

    #[test]
    fn lines_come_more_and_more_seldom() {
        let now = Instant::now();
        let started = |seconds| now.checked_sub(Duration::from_secs(seconds)).unwrap();
        let entry = PathBuf::from("missing");
        let mut running =
            Running { test: "a::b\u{1b}".to_owned(), entry, started: now, next: SOON };
        let mut line = |seconds, place| {
            running.started = started(seconds);
            running.line(place)
        };
        assert_eq!(line(59, TERMINAL), None);
        assert_eq!(line(59, LOG), None);
        let over_60 = "test a::b\\u{1b} has been running for over 60 seconds\n";
        assert_eq!(line(61, LOG).unwrap(), over_60);
        assert_eq!(line(119, TERMINAL), None);
        let in_line = Place { is_in_line: true, ..TERMINAL };
        let over_240 = "\ntest a::b\\u{1b} has been running for over 240 seconds\n";
        assert_eq!(line(250, in_line).unwrap(), over_240);
        assert_eq!(line(479, LOG), None);
    }
}
