//! A process inside a traced test: a test binary that the test, or a child of it, has started.
//!
//! Tests see their environment, so on Linux nothing in it tells. An ancestor with a test is looked
//! for instead. Elsewhere a variable tells.

#[cfg(target_os = "linux")]
use std::fs;
#[cfg(target_os = "linux")]
use std::os::unix::ffi::OsStrExt as _;
#[cfg(target_os = "linux")]
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

#[cfg(target_os = "linux")]
use crate::protocol::name_request::NAMES_VAR;
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

/// The test that has started this process, as far as its own process tells.
#[derive(Debug, Default)]
#[cfg_attr(not(feature = "harness"), expect(dead_code, reason = "the command starts tests alone"))]
pub struct OuterTest {
    /// Its name, if the front has started it.
    pub name: Option<String>,
    /// The file of its entry.
    pub entry: Option<PathBuf>,
    /// The directory of its session.
    pub session_dir: Option<PathBuf>,
    /// The socket of its name server.
    pub names: Option<PathBuf>,
}

/// The traced test that has started this process, or an ancestor of it. The process itself has no
/// session.
#[cfg(target_os = "linux")]
pub fn outer_test() -> Option<OuterTest> {
    ancestors().find_map(|process| {
        let environment = environment(&process);
        let is_test =
            [TEST_VAR, SESSION_VAR].iter().any(|name| value(&environment, name).is_some());
        // Another user's environment may name anything.
        let is_ours = || owner(&process).is_some_and(|user| owner("self") == Some(user));
        let named = || if is_ours() { OuterTest::of(&environment) } else { OuterTest::default() };
        is_test.then(named)
    })
}

/// The user of a process.
#[cfg(target_os = "linux")]
fn owner(process: &str) -> Option<u32> {
    Some(fs::metadata(format!("/proc/{process}")).ok()?.uid())
}

#[cfg(target_os = "linux")]
impl OuterTest {
    fn of(environment: &[u8]) -> Self {
        Self {
            name: value(environment, TEST_VAR)
                .and_then(|name| String::from_utf8(name.to_owned()).ok()),
            entry: path(environment, FRAGMENT_VAR),
            session_dir: path(environment, SESSION_VAR),
            names: path(environment, NAMES_VAR),
        }
    }
}

/// The file for the entry of the nearest ancestor that is a test.
#[cfg(all(target_os = "linux", target_env = "gnu", feature = "harness"))]
pub fn entry_of_ancestor() -> Option<PathBuf> {
    ancestors().find_map(|process| path(&environment(&process), FRAGMENT_VAR))
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

/// The value of a variable that names a file.
#[cfg(target_os = "linux")]
fn path(environment: &[u8], name: &str) -> Option<PathBuf> {
    Some(PathBuf::from(std::ffi::OsStr::from_bytes(value(environment, name)?)))
}

/// The traced test that has started this process. Nothing more is known of it.
#[cfg(not(target_os = "linux"))]
pub fn outer_test() -> Option<OuterTest> {
    std::env::var_os(INSIDE_VAR).map(|_| OuterTest::default())
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
