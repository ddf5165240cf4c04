//! A process inside a traced test: a test binary that the test, or a child of it, has started.
//!
//! Tests see their environment, so on Linux nothing in it tells. An ancestor with a test is looked
//! for instead. Elsewhere a variable tells.

#[cfg(target_os = "linux")]
use std::fs;
#[cfg(all(target_os = "linux", target_env = "gnu", feature = "harness"))]
use std::path::PathBuf;

#[cfg(target_os = "linux")]
use crate::protocol::session::SESSION_VAR;

/// Names the test that a child runs. It is a variable and not an argument, because some tests read
/// the arguments of their process.
pub(crate) const TEST_VAR: &str = "TRACEMALLOC_TEST";
/// Names the file that a child writes its entry to.
pub(crate) const FRAGMENT_VAR: &str = "TRACEMALLOC_FRAGMENT";
/// The most ancestors that are looked at.
#[cfg(target_os = "linux")]
const MOST_ANCESTORS: usize = 64;

/// Set in the environment of every test.
#[cfg(not(target_os = "linux"))]
const INSIDE_VAR: &str = "TRACEMALLOC_INSIDE";

/// Whether a traced test has started this process. The process itself has no session.
#[cfg(target_os = "linux")]
pub fn is_inside() -> bool {
    let mut environments = ancestors().map(|process| environment(&process));
    environments.any(|environment| {
        [TEST_VAR, SESSION_VAR].iter().any(|name| value(&environment, name).is_some())
    })
}

/// The file for the entry of the nearest ancestor that is a test.
#[cfg(all(target_os = "linux", target_env = "gnu", feature = "harness"))]
pub fn entry_of_ancestor() -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;

    let mut environments = ancestors().map(|process| environment(&process));
    environments.find_map(|environment| {
        let path = value(&environment, FRAGMENT_VAR)?;
        Some(PathBuf::from(std::ffi::OsStr::from_bytes(path)))
    })
}

/// The processes above this one, from its parent on.
#[cfg(target_os = "linux")]
fn ancestors() -> impl Iterator<Item = String> {
    let above = |process: &String| parent(process).filter(|parent| parent != "0");
    std::iter::successors(above(&"self".to_owned()), above).take(MOST_ANCESTORS)
}

/// The parent of a process: the fourth field of its `stat`. The second one, a name in parentheses,
/// may have spaces.
#[cfg(target_os = "linux")]
fn parent(process: &str) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1).map(str::to_owned)
}

/// The environment that a process began with. The system keeps it so, although the harness removes
/// its variables before a test runs.
#[cfg(target_os = "linux")]
fn environment(process: &str) -> Vec<u8> {
    fs::read(format!("/proc/{process}/environ")).unwrap_or_default()
}

/// The value of a variable.
#[cfg(target_os = "linux")]
fn value<'a>(environment: &'a [u8], name: &str) -> Option<&'a [u8]> {
    environment
        .split(|byte| *byte == 0)
        .find_map(|variable| variable.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
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
