//! Who started this process, and what follows: read from the environment once, and taken out of it before a test runs.
//!
//! | started by | is |
//! |---|---|
//! | `cargo tracemalloc`, nextest on its behalf | the front; a leak is the command's to report |
//! | the front | a child: runs the one test that it was given |
//! | cargo, nextest, a person | the front; a leak fails the test |
//! | a test that is being traced itself | as under libtest: nothing is judged |

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{SESSION_FILE, SESSION_VAR, Session, Verdict};

/// Names the test that a child has to run. A variable and not an argument: some tests read their process's arguments, and
/// those are to be what they are under libtest.
const TEST_VAR: &str = "TRACEMALLOC_TEST";
/// Names the fragment that a child has to write.
const FRAGMENT_VAR: &str = "TRACEMALLOC_FRAGMENT";
/// Set in the environment of every test, for test binaries that a test starts.
pub const INSIDE_VAR: &str = "TRACEMALLOC_INSIDE";

/// Tells insta whether to write new snapshots; what the user has set stays.
const INSTA_UPDATE_VAR: &str = "INSTA_UPDATE";

/// Where this process stands.
#[derive(Debug)]
pub struct Placement {
    session_dir: Option<PathBuf>,
    session: Option<Session>,
    child: Option<(String, PathBuf)>,
    inside: bool,
}

/// What a child has to do.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// How to measure; `None` where nothing is judged.
    pub session: Option<Session>,
    /// Where to leave what it found.
    pub fragment: PathBuf,
}

impl Placement {
    /// Reads the environment of this process.
    pub fn of_this_process() -> Self {
        let session_dir = std::env::var_os(SESSION_VAR).map(PathBuf::from);
        let session = session_dir.as_ref().map(|dir| {
            let path = dir.join(SESSION_FILE);
            let text = std::fs::read(&path).unwrap_or_else(|error| {
                fail(&format!("read the session {:?} that {SESSION_VAR} names: {error}", path))
            });
            crate::from_bytes(&text)
                .unwrap_or_else(|error| fail(&format!("understand the session {:?}: {error}", path)))
        });
        Self {
            session_dir,
            session,
            child: std::env::var(TEST_VAR).ok().zip(std::env::var_os(FRAGMENT_VAR).map(PathBuf::from)),
            inside: std::env::var_os(INSIDE_VAR).is_some(),
        }
    }

    /// The name of the test that the front has given this process to run, and how; `None` where this process is no child
    /// of a front.
    pub fn assignment(&self) -> Option<(String, Assignment)> {
        let (test, fragment) = self.child.clone()?;
        clean_environment();
        Some((test, Assignment { session: self.session(), fragment }))
    }

    /// Whether a test that is being traced has started this. Then a test asked for by its exact name runs in this process:
    /// the other one may want to see how its own binary ends.
    pub fn is_inside(&self) -> bool {
        self.session_dir.is_none() && self.inside
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

    /// The session that the environment names, and its directory.
    pub fn given_session(&self) -> Option<(Session, &PathBuf)> {
        self.session.clone().zip(self.session_dir.as_ref())
    }

    /// What holds for the tests; `None` where nothing is judged.
    pub fn session(&self) -> Option<Session> {
        match &self.session {
            Some(session) => Some(session.clone()),
            None if self.inside => None,
            None => Some(Session { fail_on: Some(vec![Verdict::Leak]), ..Session::default() }),
        }
    }

    /// Gives a child its assignment, and otherwise the environment that `cargo test` would have given it.
    pub fn prepare(&self, child: &mut Command, test: &str, fragment: &Path) {
        if let Some(session) = &self.session {
            for (name, value) in &session.restore_env {
                match value {
                    Some(value) => child.env(name, value),
                    None => child.env_remove(name),
                };
            }
        }
        // After that: the command may count its own variables among those that tests should not see.
        if let Some(session_dir) = &self.session_dir {
            child.env(SESSION_VAR, session_dir);
        }
        child.env(TEST_VAR, test).env(FRAGMENT_VAR, fragment);
    }

    /// Gives this process, which is a program with a `main` of its own, the environment that it would have without us. Who
    /// starts a test binary from inside a test gets no judgement of that.
    pub fn become_program(&self) {
        let Some(session) = &self.session else { return };
        // SAFETY: this runs before `main`, when there is no other thread.
        unsafe {
            for (name, value) in &session.restore_env {
                match value {
                    Some(value) => std::env::set_var(name, value),
                    None => std::env::remove_var(name),
                }
            }
            std::env::remove_var(SESSION_VAR);
            if session.run.is_none() {
                std::env::set_var(INSIDE_VAR, "1");
            }
        }
    }
}

/// Takes what is ours out of the environment of the test that is about to run here.
pub fn clean_environment() {
    // insta numbers the snapshots of a process, so a repeated run looks for ones that do not exist, and would leave
    // `.snap.new` files in the source tree for each.
    let keep_insta_quiet = std::env::var_os(INSTA_UPDATE_VAR).is_none();
    // SAFETY: the harness runs this on the main thread before it starts any other.
    unsafe {
        if keep_insta_quiet {
            std::env::set_var(INSTA_UPDATE_VAR, "no");
        }
        std::env::remove_var(SESSION_VAR);
        std::env::remove_var(TEST_VAR);
        std::env::remove_var(FRAGMENT_VAR);
        std::env::set_var(INSIDE_VAR, OsString::from("1"));
    }
}

/// Ends a process that cannot do its work.
pub fn fail(what: &str) -> ! {
    eprintln!("error: tracemalloc harness failed to {what}");
    std::process::exit(crate::harness::start::FAILED);
}
