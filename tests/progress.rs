//! The lines about tests that run again for some time.

#![cfg(target_os = "linux")]

mod support;

use support::{Call, Terminal, exit, write_below};

const MANIFEST: &str = "[package]\nname = \"slow\"\nedition = \"2024\"\n\n[workspace]\n";
const SOURCE: &str = "\
#![cfg(test)]

use std::sync::Mutex;
use std::time::Duration;

static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[test]
fn keeps_text() {
    std::thread::sleep(Duration::from_secs(2));
    SEEN.lock().unwrap().push(\"kept\".repeat(25));
}

#[test]
fn keeps_none() {}
";
/// After five seconds, the third of four runs goes on, or the fourth one on a busy machine.
const LINE: &str = "test keeps_text has been running for over 5 seconds: run ";

#[test]
fn slow_reruns_are_announced_on_a_terminal_only_and_not_by_quiet_calls() {
    if !Terminal::is_installed() {
        return;
    }
    let temp = tempfile::tempdir().unwrap();
    write_below(temp.path(), "Cargo.toml", MANIFEST);
    write_below(temp.path(), "src/lib.rs", SOURCE);
    let call = |args: &str| Call::tracemalloc().args("--runs 4").args(args).dir(temp.path());

    // A log, as in CI.
    let log = call("").run().code(exit::LEAK);
    assert!(!log.stderr.contains("has been running"), "{}", log.stderr);
    assert!(!log.stdout.contains("has been running"), "{}", log.stdout);

    let is_over = |screen: &str| screen.contains("test result: ");
    let lines = |screen: &str| -> Vec<String> {
        screen.lines().filter(|line| line.starts_with(LINE)).map(str::to_owned).collect()
    };
    let screen = Terminal::start("several", call("")).wait("the end", is_over);
    assert_eq!(lines(&screen).len(), 1, "{screen}");
    let line = &lines(&screen)[0];
    assert!(line.ends_with(" of at most 4, to see whether its growth goes on"), "{line}");
    assert!(screen.contains("\ntest keeps_none ... ok\n"), "{screen}");

    // The result's line has begun when the test runs alone.
    let screen = Terminal::start("one", call("-- --test-threads 1")).wait("the end", is_over);
    assert_eq!(lines(&screen).len(), 1, "{screen}");
    assert!(screen.contains("\ntest keeps_text ...\ntest keeps_text has been"), "{screen}");

    let screen = Terminal::start("quiet", call("--quiet")).wait("the end", is_over);
    assert_eq!(lines(&screen).len(), 0, "{screen}");
}
