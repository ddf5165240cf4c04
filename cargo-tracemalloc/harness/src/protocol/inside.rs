//! A process inside a traced test: a test binary that the test, or a child of it, has started.
//!
//! Tests see their environment, so on Linux nothing in it tells. An ancestor with a test is looked
//! for instead. Elsewhere a variable tells.

#[cfg(target_os = "linux")]
use std::fs;

#[cfg(target_os = "linux")]
use crate::protocol::session::SESSION_VAR;

/// Names the test that a child runs. It is a variable and not an argument, because some tests read
/// the arguments of their process.
pub(crate) const TEST_VAR: &str = "TRACEMALLOC_TEST";
/// The most ancestors that are looked at.
#[cfg(target_os = "linux")]
const MOST_ANCESTORS: usize = 64;

/// Set in the environment of every test.
#[cfg(not(target_os = "linux"))]
const INSIDE_VAR: &str = "TRACEMALLOC_INSIDE";

/// Whether a traced test has started this process. The process itself has no session.
#[cfg(target_os = "linux")]
pub fn is_inside() -> bool {
    let mut process = "self".to_owned();
    for _ in 0..MOST_ANCESTORS {
        match parent(&process) {
            Some(parent) if parent != "0" => process = parent,
            _ => return false,
        }
        if is_test(&process) {
            return true;
        }
    }
    false
}

/// The parent of a process: the fourth field of its `stat`. The second one, a name in parentheses,
/// may have spaces.
#[cfg(target_os = "linux")]
fn parent(process: &str) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1).map(str::to_owned)
}

/// Whether a process began as a test's. Its environment is kept as it was then, although the
/// harness removes its variables before the test runs.
#[cfg(target_os = "linux")]
fn is_test(process: &str) -> bool {
    let environment = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|variable| {
        [TEST_VAR, SESSION_VAR].iter().any(|name| {
            variable.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"="))
        })
    })
}

/// Whether a traced test has started this process.
#[cfg(not(target_os = "linux"))]
pub fn is_inside() -> bool {
    std::env::var_os(INSIDE_VAR).is_some()
}

/// Marks this process as a test's, for the processes that it starts.
///
/// # Safety
///
/// No other thread reads or writes the environment.
#[cfg(feature = "harness")]
pub unsafe fn mark() {
    // SAFETY: the caller promises it.
    #[cfg(not(target_os = "linux"))]
    unsafe {
        std::env::set_var(INSIDE_VAR, "1");
    }
}
