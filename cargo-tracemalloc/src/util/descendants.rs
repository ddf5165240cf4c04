//! The processes that this process has started, and those that they have started.

use std::collections::HashMap;
use std::fs;
use std::process;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The most rounds: a process may start another one before it gets the signal.
const ROUNDS: usize = 10;

/// Sends a signal to all of them, and to those that appear meanwhile. Without `/proc` it does
/// nothing.
pub fn send(signal: Signal) {
    let mut sent = Vec::new();
    for _ in 0..ROUNDS {
        let new: Vec<i32> = all().into_iter().filter(|pid| !sent.contains(pid)).collect();
        if new.is_empty() {
            return;
        }
        for pid in &new {
            // It fails for a process that has ended, or that another user owns.
            let _ = kill(Pid::from_raw(*pid), signal);
        }
        sent.extend(new);
    }
}

/// Their numbers.
fn all() -> Vec<i32> {
    of(process::id()).into_iter().map(u32::cast_signed).collect()
}

/// The numbers of the processes that another process has started, and those that they have started.
pub fn of(pid: u32) -> Vec<u32> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if let Some(parent) = parent(pid) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = vec![pid.cast_signed()];
    let mut next = 0;
    while next < found.len() {
        found.extend(children.remove(&found[next]).unwrap_or_default());
        next += 1;
    }
    found.split_off(1).into_iter().map(i32::cast_unsigned).collect()
}

/// The parent of a process: `PID (NAME) STATE PARENT ...`. A name may contain anything.
fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;

    use super::all;

    #[test]
    fn children_of_children_are_found() {
        let mut shell = Command::new("sh").args(["-c", "sleep 60 & wait"]).spawn().unwrap();
        let pid = shell.id().cast_signed();
        let sleep = loop {
            let found = all();
            assert!(found.contains(&pid));
            if let Some(sleep) = found.into_iter().find(|one| super::parent(*one) == Some(pid)) {
                break sleep;
            }
        };
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(sleep), nix::sys::signal::SIGKILL)
            .unwrap();
        shell.wait().unwrap();
        assert!(!all().contains(&pid));
    }
}
