//! Replaces this process by the command, which is the front: it lists tests, starts children and
//! prints results.
//!
//! An option parser and the code that prints results are a third of the code that every user would
//! have to compile. The command has both.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::process::Command;

use crate::child::temporary_dir;
use crate::child::test::Test;
use crate::child::test_binary;
use crate::protocol::fragment;
use crate::protocol::process_role::{ProcessRole, fail};
use crate::protocol::session::Session;
use crate::protocol::test_list::{FRONT_VAR, LIST_FILE, ListedTest, TEST_BINARY_VAR, TestList};

/// The command's name in PATH.
pub const NAME: &str = "cargo-tracemalloc";

/// Replaces this process by the command, with the same arguments. Ends the process if there is no
/// command.
pub fn become_front(role: &ProcessRole, tests: &[Test]) -> ! {
    let executable = test_binary::path();
    let (fragments, temporary) = match role.reports_to() {
        Some(session_dir) => (fragment::directory(session_dir, &executable), None),
        None => {
            let directory = temporary_dir::create(&executable).unwrap_or_else(|error| {
                fail(&format!("cannot create a directory in {:?}: {error}", std::env::temp_dir()))
            });
            (directory.clone(), Some(directory))
        }
    };
    let give_up = |why: &str| -> ! {
        if let Some(directory) = &temporary {
            // The system cleans its directory of temporary files.
            let _ = std::fs::remove_dir_all(directory);
        }
        fail(why)
    };
    let list = fragments.join(LIST_FILE);
    if let Err(error) = leave(&list, tests) {
        give_up(&format!("cannot write {list:?}: {error}"));
    }
    let places = places(role.session.as_ref(), &executable);
    for place in places.iter().map(String::as_str).chain([NAME]) {
        let Err(error) = start(place, &list, &executable);
        if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) {
            give_up(&format!(
                "cannot start {place:?}, the command that runs the tests of {executable:?}: {error}"
            ));
        }
    }
    let looked: String = places.iter().map(|place| format!("at {place:?} or ")).collect();
    let version = env!("CARGO_PKG_VERSION");
    give_up(&format!(
        "cannot find the command that runs the tests of {executable:?}: there is no `{NAME}` \
         {looked}in PATH; install version {version} of it, which built these tests"
    ));
}

/// Paths of the command: from the session, and from the note beside this binary.
pub fn places(session: Option<&Session>, executable: &Path) -> Vec<String> {
    let told_by_session = session.map(|session| session.command.clone()).unwrap_or_default();
    let built_by = fragment::target_note(executable).command;
    let mut places: Vec<String> =
        [told_by_session, built_by].into_iter().filter(|place| !place.is_empty()).collect();
    places.dedup();
    places
}

/// Writes the list of tests, unless it exists. nextest starts this binary once for each test.
fn leave(path: &Path, tests: &[Test]) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let list = TestList {
        installed: tracemalloc::internal::is_this_copy_installed(),
        c_untraced: tracemalloc::internal::c_malloc::obstacle().map(str::to_owned),
        tests: tests.iter().map(ListedTest::from).collect(),
    };
    fragment::write(path, &list)
}

impl From<&Test> for ListedTest {
    fn from(test: &Test) -> Self {
        Self {
            name: test.name.to_owned(),
            ignored: test.ignored,
            ignore_message: test.ignore_message.map(str::to_owned),
            should_panic: test.should_panic(),
            is_bench: test.is_bench(),
        }
    }
}

/// Replaces this process by a program. Returns only if that fails.
#[cfg(unix)]
fn start(program: &str, list: &Path, executable: &Path) -> Result<Infallible, io::Error> {
    use std::os::unix::process::CommandExt as _;
    let mut arguments = std::env::args_os();
    let mut command = Command::new(program);
    // Other programs keep seeing the process under its old name.
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    Err(command.args(arguments).env(FRONT_VAR, list).env(TEST_BINARY_VAR, executable).exec())
}

/// Runs a program and exits with its code. Returns only if that fails.
#[cfg(not(unix))]
fn start(program: &str, list: &Path, executable: &Path) -> Result<Infallible, io::Error> {
    let status = Command::new(program)
        .args(std::env::args_os().skip(1))
        .env(FRONT_VAR, list)
        .env(TEST_BINARY_VAR, executable)
        .status()?;
    std::process::exit(status.code().unwrap_or(crate::protocol::process_role::FAILED));
}
