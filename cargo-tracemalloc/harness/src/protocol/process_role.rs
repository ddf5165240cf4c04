//! The role of this process, read from the environment once.
//!
//! | started by | role |
//! |---|---|
//! | `cargo tracemalloc`, or nextest on its behalf | the front; the command reports leaks |
//! | the front | a child, which runs one test |
//! | cargo, nextest or a person | the front; a leak fails its test |
//! | a test that is traced itself | as under libtest; only blocks that the same test loses count |
//!
//! The front is a test binary that has listed its tests, and then replaces itself by the command.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::protocol::inside::{self, FRAGMENT_VAR, OuterTest, TEST_VAR};
use crate::protocol::name_request::NAMES_VAR;
use crate::protocol::session::{SESSION_FILE, SESSION_VAR, Session};
use crate::protocol::started_programs::STARTED_BY_VAR;
use crate::protocol::test_list::{FRONT_VAR, TEST_BINARY_VAR};
use crate::protocol::wire;

/// The exit code for failed tests, the same as libtest's.
pub const FAILED: i32 = 101;

/// The role of this process, and its session.
#[derive(Debug)]
pub struct ProcessRole {
    pub(crate) session_dir: Option<PathBuf>,
    pub(crate) session: Option<Session>,
    /// The traced test that has started this process.
    pub(crate) outer: Option<OuterTest>,
}

impl ProcessRole {
    /// Reads the environment of this process. Ends the process if it cannot read the session.
    pub fn of_this_process() -> Self {
        let session_dir = std::env::var_os(SESSION_VAR).map(PathBuf::from);
        let session = session_dir.as_ref().map(|dir| {
            let path = dir.join(SESSION_FILE);
            let text = std::fs::read(&path).unwrap_or_else(|error| {
                fail(&format!(
                    "cannot read the session {:?} that {SESSION_VAR} names: {error}",
                    path
                ))
            });
            wire::from_bytes(&text).unwrap_or_else(|error| {
                fail(&format!(
                    "cannot read the session {:?}: {error}; run `cargo tracemalloc` again",
                    path
                ))
            })
        });
        let outer = if session.is_none() { inside::outer_test() } else { None };
        Self { session_dir, session, outer }
    }

    /// The session's directory, if the command waits for reports.
    pub fn reports_to(&self) -> Option<&PathBuf> {
        let waits = self.session.as_ref().is_some_and(|session| session.fail_on.is_none());
        self.session_dir.as_ref().filter(|_| waits)
    }

    /// The options for the tests; `None` if nothing is judged.
    pub fn session(&self) -> Option<Session> {
        match &self.session {
            Some(session) => Some(session.clone()),
            None if self.outer.is_some() => None,
            None => Some(Session::of_no_command()),
        }
    }

    /// Prepares the environment of a child: its test, its fragment, the front's name server if
    /// there is one. The rest becomes as `cargo test` would have given it.
    pub fn prepare(&self, child: &mut Command, test: &str, fragment: &Path, names: Option<&Path>) {
        if let Some(session) = &self.session {
            for (name, value) in &session.restore_env {
                match value {
                    Some(value) => child.env(name, value),
                    None => child.env_remove(name),
                };
            }
        }
        // This comes last, because the command may list its own variables in `restore_env`.
        if let Some(session_dir) = &self.session_dir {
            child.env(SESSION_VAR, session_dir);
        }
        if let Some(names) = names {
            child.env(NAMES_VAR, names);
        }
        child.env_remove(FRONT_VAR).env_remove(TEST_BINARY_VAR).env_remove(STARTED_BY_VAR);
        child.env(TEST_VAR, test).env(FRAGMENT_VAR, fragment);
    }
}

/// Ends a process that cannot do its work.
pub fn fail(what: &str) -> ! {
    eprintln!("error: tracemalloc: {what}");
    std::process::exit(FAILED);
}
