//! Processes: signals to them, and waits for their effects.

use std::fmt::Display;
use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Sends a signal, such as `TERM`.
#[track_caller]
pub fn signal(name: &str, process: impl Display) {
    let process = process.to_string();
    assert!(Command::new("kill").args(["-s", name, &process]).status().unwrap().success());
}

/// Whether a process runs, and is no zombie.
pub fn runs(process: impl Display) -> bool {
    fs::read_to_string(format!("/proc/{process}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap().starts_with(" Z"))
}

/// Waits for a value.
#[track_caller]
pub fn wait_for<T>(what: &str, patience: Duration, mut get: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = get() {
            return value;
        }
        assert!(start.elapsed() < patience, "{what} does not come");
        sleep(Duration::from_millis(20));
    }
}
