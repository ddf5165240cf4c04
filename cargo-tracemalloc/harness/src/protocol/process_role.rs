//! Who started this process, and what follows: read from the environment once.
//!
//! | started by | is |
//! |---|---|
//! | `cargo tracemalloc`, nextest on its behalf | the front; a leak is the command's to report |
//! | the front | a child: runs the one test that it was given |
//! | cargo, nextest, a person | the front; a leak fails the test |
//! | a test that is being traced itself | as under libtest: nothing is judged |
//!
//! The front is a test binary that has found its tests, and then the command, which takes over its
//! process.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::protocol::name_request::NAMES_VAR;
use crate::protocol::session::{SESSION_FILE, SESSION_VAR, Session};
use crate::protocol::test_entry::Verdict;
use crate::protocol::test_list::FRONT_VAR;
use crate::protocol::wire;

/// Exit code when tests failed, as libtest's.
pub const FAILED: i32 = 101;

/// Names the test that a child has to run. A variable and not an argument: some tests read their
/// process's arguments, and those are to be what they are under libtest.
pub(crate) const TEST_VAR: &str = "TRACEMALLOC_TEST";
/// Names the fragment that a child has to write.
pub(crate) const FRAGMENT_VAR: &str = "TRACEMALLOC_FRAGMENT";
/// Set in the environment of every test, for test binaries that a test starts.
pub(crate) const INSIDE_VAR: &str = "TRACEMALLOC_INSIDE";

/// Where this process stands.
#[derive(Debug)]
pub struct ProcessRole {
    pub(crate) session_dir: Option<PathBuf>,
    pub(crate) session: Option<Session>,
    pub(crate) inside: bool,
}

impl ProcessRole {
    /// Reads the environment of this process.
    ///
    /// Ends it where the session cannot be read that is named there.
    pub fn of_this_process() -> Self {
        let session_dir = std::env::var_os(SESSION_VAR).map(PathBuf::from);
        let session = session_dir.as_ref().map(|dir| {
            let path = dir.join(SESSION_FILE);
            let text = std::fs::read(&path).unwrap_or_else(|error| {
                fail(&format!("read the session {:?} that {SESSION_VAR} names: {error}", path))
            });
            wire::from_bytes(&text).unwrap_or_else(|error| {
                fail(&format!("understand the session {:?}: {error}", path))
            })
        });
        Self { session_dir, session, inside: std::env::var_os(INSIDE_VAR).is_some() }
    }

    /// The verdicts that fail a test: none where the command waits for reports.
    pub fn fail_on(&self) -> Vec<Verdict> {
        self.session().and_then(|session| session.fail_on).unwrap_or_default()
    }

    /// The directory of the session, where somebody looks into it.
    pub fn reports_to(&self) -> Option<&PathBuf> {
        let waits = self.session.as_ref().is_some_and(|session| session.fail_on.is_none());
        self.session_dir.as_ref().filter(|_| waits)
    }

    /// What holds for the tests; `None` where nothing is judged.
    pub fn session(&self) -> Option<Session> {
        match &self.session {
            Some(session) => Some(session.clone()),
            None if self.inside => None,
            None => Some(Session { fail_on: Some(vec![Verdict::Leak]), ..Session::default() }),
        }
    }

    /// Gives a child its assignment, the socket on which the front tells names, if it does, and
    /// otherwise the environment that `cargo test` would have given it.
    pub fn prepare(&self, child: &mut Command, test: &str, fragment: &Path, names: Option<&Path>) {
        if let Some(session) = &self.session {
            for (name, value) in &session.restore_env {
                match value {
                    Some(value) => child.env(name, value),
                    None => child.env_remove(name),
                };
            }
        }
        // After that: the command may count its own variables among those that tests should not
        // see.
        if let Some(session_dir) = &self.session_dir {
            child.env(SESSION_VAR, session_dir);
        }
        if let Some(names) = names {
            child.env(NAMES_VAR, names);
        }
        child.env_remove(FRONT_VAR).env(TEST_VAR, test).env(FRAGMENT_VAR, fragment);
    }
}

/// Ends a process that cannot do its work.
pub fn fail(what: &str) -> ! {
    eprintln!("error: tracemalloc harness failed to {what}");
    std::process::exit(FAILED);
}
